// What a probe's own bytes and the time decide: its flow, whether its answer
// comes at all, and how. truth.go, limit.go and fate.go say the same in Go.
#pragma once

#include "truth.bpf.h"

// What is known of the probe that is being answered.
struct probe {
	struct address src, dst;
	u32 ip_len;
	u16 id;
	u8 ttl;
	u32 protocol;
	u32 label; // IPv6 flow label
	enum kind kind;
};

// The first eight bytes of the transport header of a probe with a method, in
// the order of the wire.
INLINE u64 transport_head(const struct scratch *s, const struct probe *p)
{
	const u32 *words = (const u32 *)&s->probe;
	return p->kind == OTHER ? 0 : (u64)be32(words[0]) << 32 | be32(words[1]);
}

// What a router with several next hops chooses by.
INLINE u64 find_flow(int v6, const struct scratch *s, const struct probe *p)
{
	if (!settings.diamonds)
		return 0;
	u64 head = transport_head(s, p);
	head &= p->kind == ICMP ? 0xffffffffffff0000 : 0xffffffff00000000;
	u64 h = draw(DRAW_FLOW, v6, p->label << 8 | p->protocol, p->src.hi, p->src.lo);
	return mix(mix(mix(h ^ p->dst.hi) ^ p->dst.lo) ^ head);
}

INLINE enum fate find_fate(int v6, const struct scratch *s, const struct probe *p)
{
	if (!settings.up_to_late)
		return ONCE;
	u64 h = draw(DRAW_FATE, v6, (u32)be16(p->id) << 8 | p->ttl, p->dst.hi, p->dst.lo ^ transport_head(s, p));
	u32 n = percent(h);
	return n < settings.duplicates ? TWICE : n < settings.up_to_late ? LATE : ONCE;
}

// Keeps the times of buckets positive.
#define EPOCH (1ull << 62)

// Tells whether a router may send no further error now. Where other CPUs take
// its tokens at the same time, again and again, it may not.
INLINE int is_limited(int v6, const struct truth *t)
{
	if (!settings.limited || !t->is_router)
		return 0;
	u64 h = draw(DRAW_LIMIT, v6, 0, t->from.hi, t->from.lo);
	if (percent(h) >= settings.limited)
		return 0;
	u32 which = h >> 16 & (BUCKETS - 1);
	u64 *taken = map_lookup(&buckets, &which);
	if (!taken)
		return 0;
	u64 now = clock_ns() + EPOCH, first = now - settings.limit_span;
#pragma unroll
	for (int i = 0; i < 4; i++) {
		u64 old = *(volatile u64 *)taken;
		u64 next = (old > first ? old : first) + settings.limit_every;
		if (next > now)
			return 1;
		if (__sync_val_compare_and_swap(taken, old, next) == old)
			return 0;
	}
	return 1;
}
