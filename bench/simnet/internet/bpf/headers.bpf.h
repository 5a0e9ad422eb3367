// Packet headers, big endian fields as they lie in the frame.
#pragma once

#include "kernel.bpf.h"

#define ETHERNET 14

#define ETHERTYPE_IPV4 be16(0x0800)
#define ETHERTYPE_ARP be16(0x0806)
#define ETHERTYPE_IPV6 be16(0x86dd)

#define PROTO_ICMP 1
#define PROTO_TCP 6
#define PROTO_UDP 17
#define PROTO_ICMPV6 58

#define TCP_FIN 1
#define TCP_SYN 2
#define TCP_RST 4
#define TCP_ACK 16

struct ethernet {
	u8 dst[6], src[6];
	u16 type;
};

// RFC 826, for Ethernet and IPv4.
struct arp {
	u16 hardware, protocol;
	u8 hardware_len, protocol_len;
	u16 operation;
	u8 sender_mac[6], sender[4];
	u8 target_mac[6], target[4];
};

// RFC 791 section 3.1, without options.
struct ipv4 {
	u8 version, tos;
	u16 length, id, fragment;
	u8 ttl, protocol;
	u16 checksum;
	u32 src, dst;
};

// RFC 8200 section 3. The addresses are in words of four bytes, since they are
// not aligned to eight in a frame.
struct ipv6 {
	u32 version;
	u16 length;
	u8 next, hop_limit;
	u32 src[4], dst[4];
};

// RFC 792 and RFC 4443.
struct icmp {
	u8 type, code;
	u16 checksum;
	u32 rest;
};

// RFC 9293 section 3.1.
struct tcp {
	u16 src, dst;
	u32 seq, ack;
	u8 offset, flags;
	u16 window, checksum, urgent;
};

struct udp {
	u16 src, dst, length, checksum;
};

// RFC 4861 sections 4.3 and 4.4 with the link address option of section 4.6.1.
struct discovery {
	struct icmp icmp;
	u32 target[4];
	u8 option, option_len, mac[6];
};

// RFC 4884 section 7 with one object of RFC 4950 section 3 that holds one entry.
struct extension {
	u16 version, checksum;
	u16 object_len;
	u8 class, type;
	u32 entry;
};
