/* CRC-32 (IEEE 802.3, as zlib's), four bytes at a time. */
#include "agent.h"

static uint32_t table[4][256];

void crc_start(void)
{
	for (unsigned i = 0; i < 256; i++) {
		uint32_t c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
		table[0][i] = c;
	}
	for (unsigned t = 1; t < 4; t++)
		for (unsigned i = 0; i < 256; i++)
			table[t][i] = table[0][table[t - 1][i] & 0xff] ^ (table[t - 1][i] >> 8);
}

/* Continue a checksum (start with 0) over `length` bytes. */
uint32_t crc32(uint32_t crc, const uint8_t *data, size_t length)
{
	crc = ~crc;
	for (; length >= 4; length -= 4, data += 4) {
		uint32_t word;

		memcpy(&word, data, 4);
		crc ^= word;
		crc = table[3][crc & 0xff] ^ table[2][(crc >> 8) & 0xff] ^
		      table[1][(crc >> 16) & 0xff] ^ table[0][crc >> 24];
	}
	while (length--)
		crc = table[0][(crc ^ *data++) & 0xff] ^ (crc >> 8);
	return ~crc;
}
