// A simulated Internet at the ingress of a link: every probe that comes in is
// turned into its answer and goes out of the same link again; everything else
// is counted and dropped. What answers is decided by a keyed hash alone, which
// truth.go computes in the same way: change both together.
//
// `make generate` compiles this into internet_bpfel.o.
#include "headers.bpf.h"

#include "state.bpf.h"
#include "truth.bpf.h"
#include "fate.bpf.h"
#include "reply.bpf.h"
#include "neighbour.bpf.h"
#include "probe.bpf.h"

SECTION("tcx/ingress") int internet(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct counters *counters = map_lookup(&counts, &zero);
	struct scratch *s = map_lookup(&room, &zero);
	if (!counters || !s)
		return DROP;
	struct ethernet e;
	if (skb->vlan_present || skb->gso_size || load_bytes(skb, 0, &e, sizeof e))
		goto foreign;
	__builtin_memcpy(s->sender, e.src, 6);
	s->fate = ONCE;
	switch (e.type) {
	case ETHERTYPE_ARP:
		if (is_ours(e.dst) || is_broadcast(e.dst))
			return arp(skb, s, counters);
		break;
	case ETHERTYPE_IPV4:
		if (is_ours(e.dst))
			return probe_ipv4(skb, s, counters);
		break;
	case ETHERTYPE_IPV6:
		if (is_ours(e.dst))
			return probe_ipv6(skb, s, counters, 1);
		if (e.dst[0] == 0x33 && e.dst[1] == 0x33)
			return probe_ipv6(skb, s, counters, 0);
		break;
	}
foreign:
	counters->foreign++;
	return DROP;
}
