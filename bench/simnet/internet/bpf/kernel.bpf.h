// What internet.bpf.c needs of the kernel's interface, and no more: the context
// of a program at a link's ingress, helpers by their numbers, and the form
// in which a map is declared (bpf-helpers(7), BTF-defined maps).
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;

#define INLINE static inline __attribute__((always_inline))
#define SECTION(name) __attribute__((section(name), used))

// Members of a map's declaration: a number is the length of an array pointed
// to, a type is pointed to.
#define NUMBER(name, n) int(*name)[n]
#define TYPE(name, t) t *name

#define MAP_TYPE_ARRAY 2
#define MAP_TYPE_PERCPU_ARRAY 6
#define MAP_TYPE_RINGBUF 27

// The head of struct __sk_buff as the kernel lays it out for programs.
struct __sk_buff {
	u32 len;
	u32 pkt_type, mark, queue_mapping, protocol;
	u32 vlan_present;
	u32 vlan_tci, vlan_proto, priority, ingress_ifindex;
	u32 ifindex;
	u32 between[31]; // up to gso_segs
	u32 sk[2];
	u32 gso_size;
};

_Static_assert(__builtin_offsetof(struct __sk_buff, ifindex) == 40, "ifindex");
_Static_assert(__builtin_offsetof(struct __sk_buff, gso_size) == 176, "gso_size");

// What a program may return.
#define DROP 2

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static u64 (*clock_ns)(void) = (void *)5;
static long (*store_bytes)(struct __sk_buff *skb, u32 at, const void *from, u32 n, u64 flags) = (void *)9;
static long (*clone_redirect)(struct __sk_buff *skb, u32 ifindex, u64 flags) = (void *)13;
static long (*redirect)(u32 ifindex, u64 flags) = (void *)23;
static long (*load_bytes)(const void *skb, u32 at, void *to, u32 n) = (void *)26;
static s64 (*csum_diff)(void *from, u32 from_size, void *to, u32 to_size, u32 seed) = (void *)28;
static long (*change_tail)(struct __sk_buff *skb, u32 n, u64 flags) = (void *)38;
static long (*ring_output)(void *ring, const void *data, u64 n, u64 flags) = (void *)130;

#define be16(x) __builtin_bswap16(x)
#define be32(x) __builtin_bswap32(x)
#define be64(x) __builtin_bswap64(x)

// Makes the compiler forget what it knows of a number, so that the comparison
// that follows is done where the verifier can see it.
#define FORGET(x) asm volatile("" : "+r"(x))
