// Taking a probe apart and having it answered.
#pragma once

#include "neighbour.bpf.h"

enum finding { PROBE, MALFORMED, FRAGMENT, FOREIGN, SOLICITATION };

INLINE int reject(struct counters *counters, enum finding f)
{
	if (f == MALFORMED)
		counters->malformed++;
	else if (f == FRAGMENT)
		counters->fragments++;
	else
		counters->foreign++;
	return DROP;
}

// Reads the transport header behind an IP header of a length.
INLINE enum finding read_transport(struct __sk_buff *skb, struct scratch *s, struct probe *p, int v6, u32 header)
{
	u32 at = ETHERNET + header, n = p->ip_len - header;
	p->kind = OTHER;
	if (p->protocol == PROTO_UDP) {
		struct udp *u = &s->probe.udp;
		if (n < sizeof *u || load_bytes(skb, at, u, sizeof *u))
			return MALFORMED;
		u32 length = be16(u->length);
		if (length < sizeof *u || length > n)
			return MALFORMED;
		p->kind = UDP;
	} else if (p->protocol == PROTO_TCP) {
		struct tcp *t = &s->probe.tcp;
		if (n < sizeof *t || load_bytes(skb, at, t, sizeof *t))
			return MALFORMED;
		u32 offset = (t->offset >> 4) * 4;
		if (offset < sizeof *t || offset > n)
			return MALFORMED;
		p->kind = TCP;
	} else if (p->protocol == (v6 ? PROTO_ICMPV6 : PROTO_ICMP)) {
		struct icmp *i = &s->probe.icmp;
		if (n < sizeof *i || load_bytes(skb, at, i, sizeof *i))
			return MALFORMED;
		if (v6 && i->type == NS_TYPE)
			return SOLICITATION;
		if (i->type != (v6 ? 128 : 8) || i->code)
			return FOREIGN;
		p->kind = ICMP;
	}
	return PROBE;
}

// Counts what became of a probe: verdict is 0 for one that gets no answer,
// negative where the kernel would not send it.
INLINE int settle(int verdict, const struct scratch *s, struct count *c, struct counters *counters)
{
	if (verdict == 0) {
		c->silent++;
		return DROP;
	}
	if (settings.up_to_late && verdict > 0) {
		c->duplicated += s->fate == TWICE;
		c->delayed += s->fate == LATE;
	}
	return done(verdict, &c->answered, counters);
}

// Finds out who answers a probe, and how. It tells that nobody does, and counts
// that.
INLINE int goes_unanswered(int v6, struct scratch *s, const struct probe *p, struct count *c, struct truth *t)
{
	c->asked++;
	find_truth(v6, &p->dst, p->ttl, find_flow(v6, s, p), t);
	if (t->is_silent) {
		c->silent++;
		return 1;
	}
	if (is_limited(v6, t)) {
		c->limited++;
		return 1;
	}
	s->fate = find_fate(v6, s, p);
	s->skew[0] = v6;
	s->skew[1] = p->kind;
	return 0;
}

INLINE int is_host4(u32 a)
{
	u8 first = a >> 24;
	return first != 0 && first != 127 && first < 224;
}

INLINE int probe_ipv4(struct __sk_buff *skb, struct scratch *s, struct counters *counters)
{
	struct ipv4 *ip = &s->v4.error.ip;
	if (load_bytes(skb, ETHERNET, ip, sizeof *ip))
		return reject(counters, MALFORMED);
	u32 header = (ip->version & 15) * 4;
	struct probe p = {.ip_len = be16(ip->length), .id = ip->id, .ttl = ip->ttl, .protocol = ip->protocol};
	if (ip->version >> 4 != 4 || header < sizeof *ip || p.ip_len < header || p.ip_len > skb->len - ETHERNET)
		return reject(counters, MALFORMED);
	if (header != sizeof *ip)
		return reject(counters, FOREIGN);
	if (fold(csum_diff(0, 0, (u32 *)ip, sizeof *ip, 0)) != 0xffff || !ip->ttl)
		return reject(counters, MALFORMED);
	if (ip->fragment & be16(0x3fff))
		return reject(counters, FRAGMENT);
	if (!is_host4(be32(ip->src)) || !is_host4(be32(ip->dst)))
		return reject(counters, FOREIGN);
	enum finding f = read_transport(skb, s, &p, 0, sizeof *ip);
	if (f != PROBE)
		return reject(counters, f);
	p.src.hi = (u64)be32(ip->src) << 32;
	p.dst.hi = (u64)be32(ip->dst) << 32;

	struct count *c = &counters->kinds[0][p.kind];
	struct truth t;
	if (goes_unanswered(0, s, &p, c, &t))
		return DROP;
	int is_host = !t.is_router && !t.is_refusal;
	if (is_host && p.kind == ICMP)
		return settle(echo_ipv4(skb, s, &p, &t), s, c, counters);
	if (is_host && p.kind == TCP)
		return settle(segment_ipv4(skb, s, &p, &t), s, c, counters);
	if (is_host && p.kind == UDP && t.is_service)
		return settle(datagram_ipv4(skb, s, &p, &t), s, c, counters);
	struct message m = {t.is_refusal ? 3 : 11, t.code, 0};
	if (is_host)
		m = (struct message){3, p.kind == UDP ? 3 : 2, 0}; // port, protocol
	return settle(error_ipv4(skb, s, &p, &t, &m), s, c, counters);
}

// Headers that stand before a transport header: RFC 8200 section 4, and those
// of IPsec, mobility, HIP and shim6.
INLINE int is_extension(u32 next)
{
	return next == 0 || next == 43 || next == 50 || next == 51 || next == 60 || next == 135 || next == 139 || next == 140;
}

INLINE int is_host6(const u32 *b)
{
	u32 first = be32(b[0]);
	return first >> 24 != 0xff && first >> 22 != 0xfe80 >> 6 && (b[0] | b[1] | b[2] | be32(b[3]) >> 1);
}

INLINE int probe_ipv6(struct __sk_buff *skb, struct scratch *s, struct counters *counters, int is_unicast)
{
	struct ipv6 *ip = &s->v6.error.ip;
	if (load_bytes(skb, ETHERNET, ip, sizeof *ip))
		return reject(counters, MALFORMED);
	struct probe p = {.ip_len = sizeof *ip + be16(ip->length), .ttl = ip->hop_limit, .protocol = ip->next,
			  .label = be32(ip->version) & 0xfffff};
	if (be32(ip->version) >> 28 != 6 || p.ip_len > skb->len - ETHERNET || !ip->hop_limit)
		return reject(counters, MALFORMED);
	if (p.protocol == 44)
		return reject(counters, FRAGMENT);
	if (is_extension(p.protocol))
		return reject(counters, FOREIGN);
	enum finding f = read_transport(skb, s, &p, 1, sizeof *ip);
	if (f == SOLICITATION)
		return solicitation(skb, s, counters, p.ip_len);
	if (f != PROBE)
		return reject(counters, f);
	if (!is_unicast || !is_host6(ip->src) || !is_host6(ip->dst))
		return reject(counters, FOREIGN);
	p.src.hi = (u64)be32(ip->src[0]) << 32 | be32(ip->src[1]);
	p.src.lo = (u64)be32(ip->src[2]) << 32 | be32(ip->src[3]);
	p.dst.hi = (u64)be32(ip->dst[0]) << 32 | be32(ip->dst[1]);
	p.dst.lo = (u64)be32(ip->dst[2]) << 32 | be32(ip->dst[3]);

	struct count *c = &counters->kinds[1][p.kind];
	struct truth t;
	if (goes_unanswered(1, s, &p, c, &t))
		return DROP;
	int is_host = !t.is_router && !t.is_refusal;
	if (is_host && p.kind == ICMP)
		return settle(echo_ipv6(skb, s, &p, &t), s, c, counters);
	if (is_host && p.kind == TCP)
		return settle(segment_ipv6(skb, s, &p, &t), s, c, counters);
	if (is_host && p.kind == UDP && t.is_service)
		return settle(datagram_ipv6(skb, s, &p, &t), s, c, counters);
	struct message m = {t.is_refusal ? 1 : 3, t.code, 0};
	if (is_host)
		m = p.kind == UDP ? (struct message){1, 4, 0} : (struct message){4, 1, 6}; // next header, at byte 6
	return settle(error_ipv6(skb, s, &p, &t, &m), s, c, counters);
}
