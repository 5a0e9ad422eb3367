// Building replies in the room and sending them back.
#pragma once

#include "fate.bpf.h"

// An ICMP error's type, code and second word.
struct message {
	u8 type, code;
	u32 rest;
};

INLINE u16 fold(u64 sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return sum;
}

// The sum of n bytes, a multiple of four and at most 1536. Kernels before 6.13
// sum 512 at a time.
INLINE u32 sum(void *b, u32 n, u32 seed)
{
#pragma unroll
	for (int i = 0; i < 3; i++) {
		u32 part = n > 512 ? 512 : n;
		FORGET(part);
		if (part > 512)
			return 0;
		n -= part;
		seed = csum_diff(0, 0, b + 512 * i, part, seed);
	}
	return seed;
}

INLINE void put_ethernet(struct scratch *s, u16 type)
{
	__builtin_memcpy(s->ethernet.dst, s->sender, 6);
#pragma unroll
	for (int i = 0; i < 6; i++)
		s->ethernet.src[i] = settings.mac[i];
	s->ethernet.type = type;
}

INLINE void put_ipv4(struct scratch *s, const struct address *from, u32 to, u32 payload, u8 ttl, u8 protocol, u16 id)
{
	struct ipv4 *ip = &s->v4.ip;
	put_ethernet(s, ETHERTYPE_IPV4);
	ip->version = 0x45;
	ip->tos = 0;
	ip->length = be16(sizeof *ip + payload);
	ip->id = id;
	ip->fragment = 0;
	ip->ttl = ttl;
	ip->protocol = protocol;
	ip->checksum = 0;
	ip->src = be32(from->hi >> 32);
	ip->dst = to;
	ip->checksum = ~fold(csum_diff(0, 0, (u32 *)ip, sizeof *ip, 0));
}

INLINE void put_address(u32 *to, u64 hi, u64 lo)
{
	to[0] = be32(hi >> 32);
	to[1] = be32(hi);
	to[2] = be32(lo >> 32);
	to[3] = be32(lo);
}

// Gives the sum of the pseudo-header (RFC 8200 section 8.1).
INLINE u32 put_ipv6(struct scratch *s, const struct address *from, const u32 *to, u32 payload, u8 ttl, u8 protocol)
{
	struct ipv6 *ip = &s->v6.ip;
	u32 reader[4]; // to may lie where the header is written
	__builtin_memcpy(reader, to, sizeof reader);
	put_ethernet(s, ETHERTYPE_IPV6);
	ip->version = be32(6u << 28);
	ip->length = be16(payload);
	ip->next = protocol;
	ip->hop_limit = ttl;
	put_address(ip->src, from->hi, from->lo);
	__builtin_memcpy(ip->dst, reader, sizeof reader);
	u64 pseudo = be16(payload) + be16(protocol);
	return csum_diff(0, 0, ip->src, 32, fold(pseudo));
}

// Hands the n bytes of a reply in the room to the loader, who sends them later.
INLINE int hold(struct scratch *s, u32 n)
{
	FORGET(n);
	if (n < ETHERNET || n > sizeof s->bytes - SKEW)
		return -1;
	return ring_output(&late, s->bytes, SKEW + n, 0) ? -1 : DROP;
}

// Sends what has become of the frame back over the link.
INLINE int leave(struct __sk_buff *skb, struct scratch *s)
{
	if (settings.duplicates && s->fate == TWICE && clone_redirect(skb, skb->ifindex, 0))
		s->fate = ONCE;
	return redirect(skb->ifindex, 0);
}

// Sends the first n bytes of the room, link header included, back over the
// link in place of the probe.
INLINE int send(struct __sk_buff *skb, struct scratch *s, u32 n)
{
	if (settings.up_to_late && s->fate == LATE)
		return hold(s, n);
	if (n != skb->len && change_tail(skb, n, 0))
		return -1;
	FORGET(n);
	if (n < ETHERNET || n > sizeof s->bytes - SKEW)
		return -1;
	if (store_bytes(skb, 0, &s->ethernet, n, 0))
		return -1;
	return leave(skb, s);
}

// Sends the n bytes of headers in the room before what the probe's frame holds
// there already, and cuts the frame to the length of the packet. What the room
// is too small for is not late.
INLINE int send_head(struct __sk_buff *skb, struct scratch *s, u32 n, u32 ip_len)
{
	u32 rest = ETHERNET + ip_len - n;
	if (settings.up_to_late && s->fate == LATE && rest <= sizeof s->bytes - SKEW - n) {
		FORGET(rest);
		if (rest > sizeof s->bytes - SKEW - n)
			return -1;
		if (rest && load_bytes(skb, n, (u8 *)&s->ethernet + n, rest))
			return -1;
		return hold(s, n + rest);
	}
	if (settings.up_to_late && s->fate == LATE)
		s->fate = ONCE;
	if (skb->len != ETHERNET + ip_len && change_tail(skb, ETHERNET + ip_len, 0))
		return -1;
	if (store_bytes(skb, 0, &s->ethernet, n, 0))
		return -1;
	return leave(skb, s);
}

// How many bytes of the probe an error quotes.
INLINE u32 quote_length(u8 quoting, u32 ip_len, u32 header, u32 full)
{
	u32 n = quoting == MINIMAL ? header + 8 : quoting == LABELED ? ORIGINAL : full;
	return ip_len < n ? ip_len : n;
}

INLINE void put_extension(struct extension *x, u32 label)
{
	x->version = be16(2 << 12);
	x->checksum = 0;
	x->object_len = be16(8);
	x->class = 1; // MPLS label stack, incoming: RFC 4950 section 3
	x->type = 1;
	x->entry = be32(label << 12 | 1 << 8 | 1); // bottom of stack, TTL 1
	x->checksum = ~fold(csum_diff(0, 0, (u32 *)x, sizeof *x, 0));
}

INLINE int error_ipv4(struct __sk_buff *skb, struct scratch *s, const struct probe *p, const struct truth *t, const struct message *m)
{
	struct error4 *e = &s->v4.error;
	u32 src = e->ip.src;
	u32 n = quote_length(t->quoting, p->ip_len, sizeof(struct ipv4), FULL_IPV4);
	if (t->quoting == LABELED)
		__builtin_memset(e->original, 0, ORIGINAL);
	FORGET(n);
	if (n < sizeof(struct ipv4) || n > FULL_IPV4)
		return -1;
	if (load_bytes(skb, ETHERNET, e->quote, n))
		return -1;
	// Each router on the way took one from the TTL and added one to the
	// high byte of the checksum (RFC 1141).
	u8 taken = t->hop - 1;
	e->ip.ttl -= taken;
	e->ip.checksum = ~fold((u16)~e->ip.checksum + (u16)~(u16)taken);
	e->icmp.type = m->type;
	e->icmp.code = m->code;
	e->icmp.checksum = 0;
	e->icmp.rest = be32(m->rest);
	u32 after = 0;
	if (t->quoting == LABELED) {
		e->icmp.rest = be32(ORIGINAL / 4 << 16);
		put_extension(&e->extension, t->label);
		n = ORIGINAL;
		after = sizeof(struct extension);
	} else {
		*(u32 *)(e->quote + n) = 0; // rounds the sum up to four bytes
	}
	u32 length = sizeof e->icmp + n + after;
	e->icmp.checksum = ~fold(sum(e, (length + 3) & ~3, 0));
	put_ipv4(s, &t->from, src, length, t->ttl, PROTO_ICMP, p->id);
	return send(skb, s, ETHERNET + sizeof(struct ipv4) + length);
}

INLINE int error_ipv6(struct __sk_buff *skb, struct scratch *s, const struct probe *p, const struct truth *t, const struct message *m)
{
	struct error6 *e = &s->v6.error;
	u32 src[4];
	__builtin_memcpy(src, e->ip.src, sizeof src);
	u32 n = quote_length(t->quoting, p->ip_len, sizeof(struct ipv6), FULL_IPV6);
	if (t->quoting == LABELED)
		__builtin_memset(e->original, 0, ORIGINAL);
	FORGET(n);
	if (n < sizeof(struct ipv6) || n > FULL_IPV6)
		return -1;
	if (load_bytes(skb, ETHERNET, e->quote, n))
		return -1;
	e->ip.hop_limit -= t->hop - 1;
	e->icmp.type = m->type;
	e->icmp.code = m->code;
	e->icmp.checksum = 0;
	e->icmp.rest = be32(m->rest);
	u32 after = 0;
	if (t->quoting == LABELED) {
		e->icmp.rest = be32(ORIGINAL / 8 << 24);
		put_extension(&e->extension, t->label);
		n = ORIGINAL;
		after = sizeof(struct extension);
	} else {
		*(u32 *)(e->quote + n) = 0;
	}
	u32 length = sizeof e->icmp + n + after;
	u32 pseudo = put_ipv6(s, &t->from, src, length, t->ttl, PROTO_ICMPV6);
	e->icmp.checksum = ~fold(sum(e, (length + 3) & ~3, pseudo));
	return send(skb, s, ETHERNET + sizeof(struct ipv6) + length);
}

// The echo reply keeps all of the request but its type, and the sum of the
// rest with it (RFC 1624 equation 3): what was wrong stays wrong. A checksum of
// 0 would be wrong for a message of nothing but zeros, and 0xffff says the same.
INLINE u16 echo_sum(u16 old, u8 from, u8 to)
{
	u16 sum = ~fold((u16)~old + (u16)~(u16)from + to);
	return sum ? sum : 0xffff;
}

INLINE int echo_ipv4(struct __sk_buff *skb, struct scratch *s, const struct probe *p, const struct truth *t)
{
	u32 src = s->v4.error.ip.src;
	s->v4.icmp = s->probe.icmp;
	s->v4.icmp.type = 0;
	s->v4.icmp.checksum = echo_sum(s->probe.icmp.checksum, 8, 0);
	put_ipv4(s, &t->from, src, p->ip_len - sizeof(struct ipv4), t->ttl, PROTO_ICMP, p->id);
	return send_head(skb, s, ETHERNET + sizeof(struct ipv4) + sizeof(struct icmp), p->ip_len);
}

INLINE int echo_ipv6(struct __sk_buff *skb, struct scratch *s, const struct probe *p, const struct truth *t)
{
	u32 src[4];
	__builtin_memcpy(src, s->v6.error.ip.src, sizeof src);
	s->v6.icmp = s->probe.icmp;
	s->v6.icmp.type = 129;
	s->v6.icmp.checksum = echo_sum(s->probe.icmp.checksum, 128, 129);
	put_ipv6(s, &t->from, src, p->ip_len - sizeof(struct ipv6), t->ttl, PROTO_ICMPV6);
	return send_head(skb, s, ETHERNET + sizeof(struct ipv6) + sizeof(struct icmp), p->ip_len);
}

// What a TCP says to a segment of n bytes, header included: RFC 9293 sections
// 3.5.2 (reset) and 3.10.7.2 (LISTEN). It tells whether it says anything.
INLINE int answer_segment(const struct tcp *in, u32 n, const struct probe *p, int v6, struct tcp *out)
{
	u32 length = n - (in->offset >> 4) * 4;
	if (in->flags & TCP_SYN)
		length++;
	if (in->flags & TCP_FIN)
		length++;
	out->src = in->dst;
	out->dst = in->src;
	out->seq = 0;
	out->ack = be32(be32(in->seq) + length);
	out->offset = sizeof *out / 4 << 4;
	out->window = 0;
	out->checksum = 0;
	out->urgent = 0;
	if (in->flags & TCP_RST)
		return 0;
	if (!(in->flags & TCP_ACK) && is_open(be16(in->dst))) {
		out->flags = TCP_SYN | TCP_ACK;
		out->seq = be32((u32)draw(DRAW_SEQUENCE, v6, be16(in->src), p->dst.hi, p->dst.lo ^ be32(in->seq)));
		out->window = 0xffff;
		return in->flags & TCP_SYN;
	}
	out->flags = TCP_RST | TCP_ACK;
	if (in->flags & TCP_ACK) {
		out->flags = TCP_RST;
		out->seq = in->ack;
		out->ack = 0;
	}
	return 1;
}

INLINE int segment_ipv4(struct __sk_buff *skb, struct scratch *s, const struct probe *p, const struct truth *t)
{
	u32 src = s->v4.error.ip.src;
	if (!answer_segment(&s->probe.tcp, p->ip_len - sizeof(struct ipv4), p, 0, &s->v4.tcp))
		return 0;
	put_ipv4(s, &t->from, src, sizeof(struct tcp), t->ttl, PROTO_TCP, p->id);
	u32 pseudo = be16(sizeof(struct tcp)) + be16(PROTO_TCP);
	pseudo = csum_diff(0, 0, &s->v4.ip.src, 8, pseudo);
	s->v4.tcp.checksum = ~fold(csum_diff(0, 0, (u32 *)&s->v4.tcp, sizeof(struct tcp), pseudo));
	return send(skb, s, ETHERNET + sizeof(struct ipv4) + sizeof(struct tcp));
}

INLINE int segment_ipv6(struct __sk_buff *skb, struct scratch *s, const struct probe *p, const struct truth *t)
{
	u32 src[4];
	__builtin_memcpy(src, s->v6.error.ip.src, sizeof src);
	if (!answer_segment(&s->probe.tcp, p->ip_len - sizeof(struct ipv6), p, 1, &s->v6.tcp))
		return 0;
	u32 pseudo = put_ipv6(s, &t->from, src, sizeof(struct tcp), t->ttl, PROTO_TCP);
	s->v6.tcp.checksum = ~fold(csum_diff(0, 0, (u32 *)&s->v6.tcp, sizeof(struct tcp), pseudo));
	return send(skb, s, ETHERNET + sizeof(struct ipv6) + sizeof(struct tcp));
}

// What a service on UDP says, behind a pseudo-header with a sum.
INLINE void put_datagram(struct datagram *d, const struct udp *in, const struct probe *p, u32 pseudo)
{
	d->udp.src = in->dst;
	d->udp.dst = in->src;
	d->udp.length = be16(sizeof *d);
	d->udp.checksum = 0;
	d->ttl = p->ttl;
	d->zero = 0;
	d->checksum = in->checksum;
	u16 sum = ~fold(csum_diff(0, 0, (u32 *)d, sizeof *d, pseudo));
	d->udp.checksum = sum ? sum : 0xffff; // zero is for none: RFC 768
}

INLINE int datagram_ipv4(struct __sk_buff *skb, struct scratch *s, const struct probe *p, const struct truth *t)
{
	put_ipv4(s, &t->from, s->v4.error.ip.src, sizeof(struct datagram), t->ttl, PROTO_UDP, p->id);
	u32 pseudo = be16(sizeof(struct datagram)) + be16(PROTO_UDP);
	pseudo = csum_diff(0, 0, &s->v4.ip.src, 8, pseudo);
	put_datagram(&s->v4.datagram, &s->probe.udp, p, pseudo);
	return send(skb, s, ETHERNET + sizeof(struct ipv4) + sizeof(struct datagram));
}

INLINE int datagram_ipv6(struct __sk_buff *skb, struct scratch *s, const struct probe *p, const struct truth *t)
{
	u32 src[4];
	__builtin_memcpy(src, s->v6.error.ip.src, sizeof src);
	u32 pseudo = put_ipv6(s, &t->from, src, sizeof(struct datagram), t->ttl, PROTO_UDP);
	put_datagram(&s->v6.datagram, &s->probe.udp, p, pseudo);
	return send(skb, s, ETHERNET + sizeof(struct ipv6) + sizeof(struct datagram));
}
