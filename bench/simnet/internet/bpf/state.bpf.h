// Settings, counters and the room that replies are built in.
#pragma once

#include "headers.bpf.h"

#define MAX_OPEN 8

// Written by the loader before the program starts; settings in kernel_linux.go
// has the same layout. Addresses are numbers here, not bytes.
struct settings {
	u64 seed;
	u64 gateway6[2];
	u64 routers6; // upper half of every router's address
	u64 limit_every, limit_span; // nanoseconds: for one error more, and for as many as may come at once
	u32 gateway4;
	u32 routers4, routers4_host; // network, and the bits that the hash fills
	u32 min_hops, hop_span;      // a path has min_hops up to min_hops+hop_span-1 hops
	u32 shared, step;
	u32 silent, silent_hosts;   // percent
	u32 minimal, up_to_labeled; // percent: below the first, below the second
	u32 diamonds;                        // percent
	u32 loops, up_to_unreachable;        // percent, as are all below
	u32 limited;
	u32 duplicates, up_to_late;
	u32 guarded, services;
	u32 opens;
	u16 open[MAX_OPEN];
	u8 mac[6];
	u8 unused[2];
};

const volatile struct settings settings SECTION(".rodata");

// Kinds of probes, in the order of frame.Method.
enum kind { OTHER, UDP, ICMP, TCP, KINDS };

struct count {
	u64 asked, answered, silent, limited;
	u64 duplicated, delayed; // of those answered
};

// Counters in counters.go has the same layout.
struct counters {
	struct count kinds[2][KINDS]; // by IPv6 or not
	u64 neighbours, malformed, fragments, foreign, failed;
	u64 dropped; // not known here
};

// The link header starts two bytes into the room, so that all others are
// aligned to four.
#define SKEW 2
#define FULL_IPV4 (576 - 28)  // of quote: RFC 1812 section 4.3.2.3
#define FULL_IPV6 (1280 - 48) // RFC 4443 section 3.1
#define ORIGINAL 128          // RFC 4884 section 4.5

struct error4 {
	struct icmp icmp;
	union {
		struct ipv4 ip;
		u8 quote[FULL_IPV4 + 4];
		struct {
			u8 original[ORIGINAL];
			struct extension extension;
		};
	};
};

struct error6 {
	struct icmp icmp;
	union {
		struct ipv6 ip;
		u8 quote[FULL_IPV6 + 4];
		struct {
			u8 original[ORIGINAL];
			struct extension extension;
		};
	};
};

// How a reply leaves.
enum fate { ONCE, TWICE, LATE };

// What a service answers a UDP probe with: its data tell which probe that was.
struct datagram {
	struct udp udp;
	u8 ttl, zero;
	u16 checksum; // of the probe
};

struct scratch {
	union {
		struct {
			u8 skew[SKEW]; // of a reply that is late: the family and the kind of its probe
			struct ethernet ethernet;
			union {
				struct arp arp;
				struct {
					struct ipv4 ip;
					union {
						struct error4 error;
						struct icmp icmp;
						struct tcp tcp;
						struct datagram datagram;
					};
				} v4;
				struct {
					struct ipv6 ip;
					union {
						struct error6 error;
						struct icmp icmp;
						struct tcp tcp;
						struct datagram datagram;
						struct discovery discovery;
					};
				} v6;
			};
		};
		u8 bytes[2048];
	};
	u8 sender[6]; // who the frame came from
	u8 fate;      // of the reply, an enum fate
	u8 unused;
	union {
		struct icmp icmp;
		struct tcp tcp;
		struct udp udp;
	} probe; // its transport header
};

struct {
	NUMBER(type, MAP_TYPE_PERCPU_ARRAY);
	TYPE(key, u32);
	TYPE(value, struct counters);
	NUMBER(max_entries, 1);
} counts SECTION(".maps");

struct {
	NUMBER(type, MAP_TYPE_PERCPU_ARRAY);
	TYPE(key, u32);
	TYPE(value, struct scratch);
	NUMBER(max_entries, 1);
} room SECTION(".maps");

// Token buckets of routers: the time up to which their tokens are taken. The
// loader makes as many as BUCKETS if there is a limit.
#define BUCKETS (1 << 20)

struct {
	NUMBER(type, MAP_TYPE_ARRAY);
	TYPE(key, u32);
	TYPE(value, u64);
	NUMBER(max_entries, 1);
} buckets SECTION(".maps");

// Replies that the loader sends later. It gives the ring its size.
struct {
	NUMBER(type, MAP_TYPE_RINGBUF);
	NUMBER(max_entries, 4096);
} late SECTION(".maps");

INLINE int is_ours(const u8 *mac)
{
	for (int i = 0; i < 6; i++)
		if (mac[i] != settings.mac[i])
			return 0;
	return 1;
}

INLINE int is_broadcast(const u8 *mac)
{
	for (int i = 0; i < 6; i++)
		if (mac[i] != 0xff)
			return 0;
	return 1;
}
