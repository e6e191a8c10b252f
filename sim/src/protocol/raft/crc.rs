//! CRC-32C (Castagnoli), as in iSCSI and most write-ahead logs: finds every burst of up to 32 bits.

const POLYNOMIAL: u32 = 0x82F6_3B78;

/// `TABLES[0]` advances the checksum by one byte, `TABLES[k]` by that byte and `k` zeros: eight of
/// them take eight bytes at a time, which values of half a megabyte are worth.
static TABLES: [[u32; 256]; 8] = tables();

const _: () = assert!(tables()[0][1] == 0xF26B_8303, "the tables are those of CRC-32C");

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0_u32; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc & 1 == 1;
            crc >>= 1;
            if carry {
                crc ^= POLYNOMIAL;
            }
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut at = 0;
    while at < 7 * 256 {
        let (table, byte) = (at / 256, at % 256);
        let crc = tables[table][byte];
        tables[table + 1][byte] = (crc >> 8) ^ tables[0][(crc & 0xFF) as usize];
        at += 1;
    }
    tables
}

/// The checksum of the concatenation of `parts`.
pub(super) fn crc32c(parts: &[&[u8]]) -> u32 {
    !parts.iter().fold(u32::MAX, |crc, part| update(crc, part))
}

fn update(mut crc: u32, bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word) ^ u64::from(crc);
        let of = |at: usize| TABLES[7 - at][(word >> (8 * at) & 0xFF) as usize];
        crc = of(0) ^ of(1) ^ of(2) ^ of(3) ^ of(4) ^ of(5) ^ of(6) ^ of(7);
    }
    for byte in rest {
        crc = (crc >> 8) ^ TABLES[0][((crc ^ u32::from(*byte)) & 0xFF) as usize];
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn vectors_of_rfc_3720() {
        assert_eq!(crc32c(&[&[0; 32]]), 0x8A91_36AA);
        assert_eq!(crc32c(&[&[0xFF; 32]]), 0x62A8_AB43);
        let ascending: alloc::vec::Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&[&ascending]), 0x46DD_794E);
        let descending: alloc::vec::Vec<u8> = (0..32).rev().collect();
        assert_eq!(crc32c(&[&descending]), 0x113F_DB5C);
    }

    #[test]
    fn parts_are_one_message_wherever_it_is_split() {
        let whole: alloc::vec::Vec<u8> = (0..100).map(|n| (n * 37 % 251) as u8).collect();
        let expect = crc32c(&[&whole]);
        for at in 0..=whole.len() {
            let (head, tail) = whole.split_at(at);
            assert_eq!(crc32c(&[head, tail]), expect, "at {at}");
        }
        assert_eq!(crc32c(&[b"1234", b"56789"]), 0xE306_9283);
    }
}
