// Who answers a probe, and how. truth.go says the same in Go.
#pragma once

#include "state.bpf.h"

// What a hash is drawn for.
#define DRAW_ROUTER 1
#define DRAW_HOST 2
#define DRAW_SEQUENCE 3
#define DRAW_DIAMOND 4
#define DRAW_EVENT 5
#define DRAW_FLOW 6
#define DRAW_LIMIT 7
#define DRAW_FATE 8

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
	u8 is_refusal, code; // unreachable, from a router or a destination that refuses all
	u8 is_service;       // on UDP, at the destination
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

// Which of the routers beside each other at a hop a flow passes: 0 where there
// is one.
INLINE u32 branch(int v6, u32 hop, u64 prefix, u64 flow)
{
	if (!settings.diamonds || hop == 1)
		return 0;
	u64 h = draw(DRAW_DIAMOND, v6, hop, prefix, 0);
	if (percent(h) >= settings.diamonds)
		return 0;
	u64 width = 2 + ((h >> 16 & 0xffff) * 3 >> 16);
	return (mix(h ^ flow) >> 32) * width >> 32;
}

// A router that ends probes on the way, and quotes them.
INLINE void find_router(int v6, const struct address *dst, u64 flow, u32 hop, struct truth *t)
{
	u64 p = prefix(v6, hop, dst->hi);
	u64 h = draw(DRAW_ROUTER, v6, hop, p, branch(v6, hop, p, flow));
	u64 more = mix(h);
	t->ttl = 255 - (hop - 1);
	t->is_silent = percent(h >> 32) < settings.silent;
	t->quoting = quoting(percent(h >> 48));
	t->label = more >> 44 | 16; // those below are reserved, RFC 3032 section 2.1
	if (hop == 1) {
		gateway(v6, &t->from);
	} else if (v6) {
		t->from.hi = settings.routers6;
		t->from.lo = more;
	} else {
		t->from.hi = (u64)(settings.routers4 | (h & settings.routers4_host)) << 32;
		t->from.lo = 0;
	}
}

// What happens to probes on a path of a length: the first hop that it happens
// at, 0 for nothing.
struct event {
	u32 hop;
	u8 is_loop, is_endless, code;
};

INLINE void find_event(int v6, const struct address *dst, u32 length, struct event *e)
{
	e->hop = 0;
	if (!settings.up_to_unreachable)
		return;
	u64 h = draw(DRAW_EVENT, v6, 0, v6 ? dst->hi >> 16 << 16 : dst->hi >> 40 << 40, 0);
	u32 p = percent(h);
	e->is_loop = p < settings.loops;
	u32 first = e->is_loop ? 3 : 2;
	if (p >= settings.up_to_unreachable || length <= first)
		return;
	e->hop = first + ((h >> 16 & 0xffff) * (length - first) >> 16);
	e->is_endless = h >> 32 & 1;
	u32 which = (h >> 48) * 3 >> 16; // no route to the network, to the host, not allowed
	e->code = which == 0 ? 0 : which == 1 ? (v6 ? 3 : 1) : (v6 ? 1 : 13);
}

// What not all destinations do: refuse every probe, or have a service on UDP.
INLINE void find_habits(int v6, u64 h, struct truth *t)
{
	u64 more = mix(h);
	u32 which = (more >> 16 & 0xffff) * 5 >> 16;
	// RFC 792 and RFC 1812 section 5.2.7.1, RFC 4443 section 3.1.
	u64 codes = v6 ? 0x0605040301 : 0x0d0a030201;
	if (percent(more) < settings.guarded) {
		t->is_refusal = 1;
		t->code = codes >> which * 8;
	}
	t->is_service = percent(more >> 32) < settings.services;
}

INLINE void find_truth(int v6, const struct address *dst, u32 ttl, u64 flow, struct truth *t)
{
	struct address near;
	gateway(v6, &near);
	u64 h = draw(DRAW_HOST, v6, 0, dst->hi, dst->lo);
	u32 length = settings.min_hops + ((h & 0xffffffff) * settings.hop_span >> 32);
	int is_gateway = dst->hi == near.hi && dst->lo == near.lo;
	if (is_gateway)
		length = 1;
	struct event e;
	find_event(v6, dst, length, &e);
	t->is_router = 1;
	t->is_refusal = 0;
	t->is_service = 0;
	t->code = 0;
	t->hop = ttl;
	u32 place = ttl; // of the router
	if (e.hop && ttl >= e.hop) {
		if (!e.is_loop) {
			t->is_refusal = 1;
			t->code = e.code;
			place = t->hop = e.hop;
		} else if (e.is_endless) {
			place = e.hop - 2 + ((ttl - e.hop) & 1);
		} else if (ttl == e.hop) {
			place = ttl - 2;
		}
	}
	if (place >= length) {
		t->from = *dst;
		t->hop = length;
		t->ttl = 64 - (length - 1);
		t->is_router = 0;
		if ((settings.guarded || settings.services) && !is_gateway)
			find_habits(v6, h, t);
		t->is_silent = !is_gateway && percent(h >> 32) < settings.silent_hosts;
		t->quoting = quoting(percent(h >> 48)) == MINIMAL ? MINIMAL : FULL;
		t->label = 0;
		return;
	}
	find_router(v6, dst, flow, place, t);
}

INLINE int is_open(u16 port)
{
#pragma unroll
	for (u32 i = 0; i < MAX_OPEN; i++)
		if (i < settings.opens && settings.open[i] == port)
			return 1;
	return 0;
}
