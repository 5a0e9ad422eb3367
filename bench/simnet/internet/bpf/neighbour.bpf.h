// Answers for the gateway's address on the link.
#pragma once

#include "reply.bpf.h"

#define NS_TYPE 135
#define NA_TYPE 136

INLINE int done(int verdict, u64 *counter, struct counters *counters)
{
	if (verdict < 0) {
		counters->failed++;
		return DROP;
	}
	++*counter;
	return verdict;
}

// RFC 826.
INLINE int arp(struct __sk_buff *skb, struct scratch *s, struct counters *counters)
{
	struct arp *a = &s->arp;
	if (load_bytes(skb, ETHERNET, a, sizeof *a)) {
		counters->malformed++;
		return DROP;
	}
	u32 target;
	__builtin_memcpy(&target, a->target, 4);
	if (a->hardware != be16(1) || a->protocol != ETHERTYPE_IPV4 || a->hardware_len != 6 || a->protocol_len != 4 ||
	    a->operation != be16(1) || be32(target) != settings.gateway4) {
		counters->foreign++;
		return DROP;
	}
	put_ethernet(s, ETHERTYPE_ARP);
	a->operation = be16(2);
	__builtin_memcpy(a->target_mac, a->sender_mac, 6);
	__builtin_memcpy(a->target, a->sender, 4);
	__builtin_memcpy(a->sender_mac, s->ethernet.src, 6);
	__builtin_memcpy(a->sender, &target, 4);
	return done(send(skb, s, ETHERNET + sizeof *a), &counters->neighbours, counters);
}

// RFC 4861 sections 4.3 and 4.4. The solicitation's IP header is where an
// error would quote it.
INLINE int solicitation(struct __sk_buff *skb, struct scratch *s, struct counters *counters, u32 ip_len)
{
	struct {
		struct icmp icmp;
		u32 target[4];
	} in;
	u32 src[4];
	__builtin_memcpy(src, s->v6.error.ip.src, sizeof src);
	u8 hop_limit = s->v6.error.ip.hop_limit;
	if (ip_len < sizeof(struct ipv6) + sizeof in || load_bytes(skb, ETHERNET + sizeof(struct ipv6), &in, sizeof in)) {
		counters->malformed++;
		return DROP;
	}
	struct address us;
	us.hi = (u64)be32(in.target[0]) << 32 | be32(in.target[1]);
	us.lo = (u64)be32(in.target[2]) << 32 | be32(in.target[3]);
	if (hop_limit != 255 || us.hi != settings.gateway6[0] || us.lo != settings.gateway6[1] ||
	    !(src[0] | src[1] | src[2] | src[3])) {
		counters->foreign++;
		return DROP;
	}
	struct discovery *d = &s->v6.discovery;
	u32 pseudo = put_ipv6(s, &us, src, sizeof *d, 255, PROTO_ICMPV6);
	d->icmp.type = NA_TYPE;
	d->icmp.code = 0;
	d->icmp.checksum = 0;
	d->icmp.rest = be32(0xe0000000); // router, solicited, override
	__builtin_memcpy(d->target, in.target, sizeof d->target);
	d->option = 2; // the target's link address
	d->option_len = 1;
	__builtin_memcpy(d->mac, s->ethernet.src, 6);
	d->icmp.checksum = ~fold(csum_diff(0, 0, (u32 *)d, sizeof *d, pseudo));
	return done(send(skb, s, ETHERNET + sizeof(struct ipv6) + sizeof *d), &counters->neighbours, counters);
}
