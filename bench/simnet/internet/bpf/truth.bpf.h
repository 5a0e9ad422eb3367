// Who answers a probe, and how. truth.go says the same in Go.
#pragma once

#include "state.bpf.h"

// What a hash is drawn for.
#define DRAW_ROUTER 1
#define DRAW_HOST 2
#define DRAW_SEQUENCE 3

// How an error quotes a probe, in the order of Quoting.
enum quoting { MINIMAL, LABELED, FULL };

struct address {
	u64 hi, lo; // an IPv4 address is in the upper half of hi
};

struct truth {
	struct address from;
	u32 hop, ttl;
	u32 label;
	u8 is_router, is_silent, quoting;
};

INLINE u64 mix(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

INLINE u64 draw(u32 what, int v6, u32 hop, u64 hi, u64 lo)
{
	u64 h = mix(settings.seed ^ ((u64)what << 56 | (u64)v6 << 48 | hop));
	return mix(mix(h ^ hi) ^ lo);
}

INLINE u32 percent(u64 h) { return (h & 0xffff) * 100 >> 16; }

INLINE u8 quoting(u32 p)
{
	return p < settings.minimal ? MINIMAL : p < settings.up_to_labeled ? LABELED : FULL;
}

// The part of a destination's address that decides who its router is at a hop.
INLINE u64 prefix(int v6, u32 hop, u64 hi)
{
	u32 bits = hop > settings.shared ? (hop - settings.shared) * settings.step : 0;
	if (bits > 24)
		bits = 24;
	if (v6)
		bits *= 2;
	return bits ? hi >> (64 - bits) << (64 - bits) : 0;
}

INLINE void gateway(int v6, struct address *a)
{
	a->hi = v6 ? settings.gateway6[0] : (u64)settings.gateway4 << 32;
	a->lo = v6 ? settings.gateway6[1] : 0;
}

INLINE void find_truth(int v6, const struct address *dst, u32 ttl, struct truth *t)
{
	struct address near;
	gateway(v6, &near);
	u64 h = draw(DRAW_HOST, v6, 0, dst->hi, dst->lo);
	u32 length = settings.min_hops + ((h & 0xffffffff) * settings.hop_span >> 32);
	int is_gateway = dst->hi == near.hi && dst->lo == near.lo;
	if (is_gateway)
		length = 1;
	if (ttl >= length) {
		t->from = *dst;
		t->hop = length;
		t->ttl = 64 - (length - 1);
		t->is_router = 0;
		t->is_silent = !is_gateway && percent(h >> 32) < settings.silent_hosts;
		t->quoting = quoting(percent(h >> 48)) == MINIMAL ? MINIMAL : FULL;
		t->label = 0;
		return;
	}
	h = draw(DRAW_ROUTER, v6, ttl, prefix(v6, ttl, dst->hi), 0);
	u64 more = mix(h);
	t->hop = ttl;
	t->ttl = 255 - (ttl - 1);
	t->is_router = 1;
	t->is_silent = percent(h >> 32) < settings.silent;
	t->quoting = quoting(percent(h >> 48));
	t->label = more >> 44 | 16; // those below are reserved, RFC 3032 section 2.1
	if (ttl == 1) {
		t->from = near;
	} else if (v6) {
		t->from.hi = settings.routers6;
		t->from.lo = more;
	} else {
		t->from.hi = (u64)(settings.routers4 | (h & settings.routers4_host)) << 32;
		t->from.lo = 0;
	}
}

INLINE int is_open(u16 port)
{
#pragma unroll
	for (u32 i = 0; i < MAX_OPEN; i++)
		if (i < settings.opens && settings.open[i] == port)
			return 1;
	return 0;
}
