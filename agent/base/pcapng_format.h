/* Numbers of the pcap and pcapng formats that writers and readers share. Pure. */
#ifndef TW_PCAPNG_FORMAT_H
#define TW_PCAPNG_FORMAT_H

/* Types of blocks. The section header's reads the same in either byte order. */
#define BLOCK_SECTION	 0x0a0d0d0au
#define BLOCK_INTERFACE	 1u
#define BLOCK_PACKET_OLD 2u /* obsolete since 2004, still in old files */
#define BLOCK_SIMPLE	 3u
#define BLOCK_STATISTICS 5u
#define BLOCK_ENHANCED	 6u

#define BLOCK_OVERHEAD 12u /* type, and the length at both ends */

#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define OPTION_END     0u
#define OPTION_COMMENT 1u

#define SHB_USERAPPL 4u

/* What the agent's files say there, and those of `extract`, whose frames may be of anyone. */
#define PCAPNG_APPLICATION "tapwarden"
#define PCAPNG_EXTRACT	   "tapwarden extract"

#define IF_NAME	       2u
#define IF_DESCRIPTION 3u
#define IF_TSRESOL     9u
#define IF_TSOFFSET    14u

#define EPB_FLAGS     2u
#define EPB_DROPCOUNT 4u
#define EPB_PACKETID  5u
#define EPB_VERDICT   7u

#define EPB_FLAG_INBOUND	  0x1u
#define EPB_FLAG_OUTBOUND	  0x2u
#define EPB_FLAG_DIRECTION	  0x3u
#define EPB_FLAG_CHECKSUM_PARTIAL 0x200u
#define EPB_FLAG_GSO		  0x800u

#define ISB_STARTTIME 2u
#define ISB_ENDTIME   3u
#define ISB_IFRECV    4u
#define ISB_IFDROP    5u
#define ISB_OSDROP    7u

/* Of pcap files: microseconds or nanoseconds, in the writer's byte order. */
#define PCAP_MAGIC_US	0xa1b2c3d4u
#define PCAP_MAGIC_NS	0xa1b23c4du
#define PCAP_HEADER_LEN 24u
#define PCAP_PACKET_LEN 16u

/* A patched libpcap's, in microseconds: interface, protocol and type follow a packet's lengths. */
#define PCAP_MAGIC_PATCHED	0xa1b2cd34u
#define PCAP_PACKET_LEN_PATCHED 24u

/* LINKTYPE_ of https://www.tcpdump.org/linktypes.html */
#define LINKTYPE_NULL	  0u
#define LINKTYPE_ETHERNET 1u
#define LINKTYPE_DLT_RAW  12u /* as libpcap calls raw IP: of who did not ask it for the number */
#define LINKTYPE_RAW	  101u
#define LINKTYPE_LOOP	  108u
#define LINKTYPE_SLL	  113u
#define LINKTYPE_IPV4	  228u
#define LINKTYPE_IPV6	  229u
#define LINKTYPE_SLL2	  276u

#endif
