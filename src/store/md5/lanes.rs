//! MD5's compression of several messages side by side, one in each lane of a vector.
//!
//! MD5 is one long chain of dependent steps, so that a message alone leaves most of a core idle; sixteen side by side
//! (eight, without AVX-512) take little longer than one ([RFC 1321](https://www.rfc-editor.org/rfc/rfc1321), section 3.4).
//! Elsewhere than on such processors of the x86-64 line, messages are taken one after the other.

#![expect(
    unsafe_code,
    reason = "what is compiled for more than the least of processors can be called in no other way"
)]

use super::BLOCK_BYTES;

/// The chaining value of a message: A, B, C, D.
pub(super) type Chain = [u32; 4];

/// A block of a message.
pub(super) type Block = [u8; BLOCK_BYTES];

/// A message whose next blocks are to be compressed.
pub(super) struct Run<'a> {
    pub(super) chain: &'a mut Chain,
    pub(super) blocks: &'a [Block],
}

/// Fewer than these side by side take longer than one after the other.
#[cfg(target_arch = "x86_64")]
const FEWEST: usize = 3;

/// 2³² × |sin(i + 1)|, rounded down.
#[cfg(target_arch = "x86_64")]
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// By how much each step of a round rotates.
#[cfg(target_arch = "x86_64")]
const ROTATIONS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// Which word of the block each step of a round takes: every so many, beginning with this.
#[cfg(target_arch = "x86_64")]
const WORDS: [(usize, usize); 4] = [(1, 0), (5, 1), (3, 5), (7, 0)];

/// Compresses all blocks of all runs.
pub(super) fn compress_many(mut runs: Vec<Run<'_>>) {
    runs.retain(|run| !run.blocks.is_empty());
    while let Some((lanes, advance)) = widest(runs.len()) {
        let lanes = lanes.min(runs.len());
        let abreast = &mut runs[..lanes];
        let blocks = abreast.iter().map(|run| run.blocks.len()).min().unwrap_or_default();
        advance(abreast, blocks);
        runs.retain(|run| !run.blocks.is_empty());
    }
    for run in runs {
        md5::block_api::compress(run.chain, run.blocks);
    }
}

/// Compresses so many blocks of each of the runs, which are no more than there are lanes.
type Advance = fn(&mut [Run<'_>], usize);

/// How many lanes take so many runs best, and what advances them; `None` for one after the other.
fn widest(runs: usize) -> Option<(usize, Advance)> {
    #[cfg(target_arch = "x86_64")]
    {
        if runs > 8 && is_x86_feature_detected!("avx512f") {
            return Some((16, |runs, blocks| {
                // SAFETY: the processor has it.
                unsafe { avx512::advance(runs, blocks) }
            }));
        }
        if runs >= FEWEST && is_x86_feature_detected!("avx2") {
            return Some((8, |runs, blocks| {
                // SAFETY: the processor has it.
                unsafe { avx2::advance(runs, blocks) }
            }));
        }
    }
    None
}

/// The same for vectors of each width. The instructions may be used only in functions that are compiled for them, and a
/// generic function cannot be.
#[cfg(target_arch = "x86_64")]
macro_rules! lanes {
    (
        $feature:literal, $lanes:literal, $vector:ident, splat $splat:ident, set $set:ident($($lane:literal)+),
        add $add:ident, and $and:ident, or $or:ident, xor $xor:ident, rotate $rotate:expr
    ) => {
        use super::Block;
        use super::ROTATIONS;
        use super::Run;
        use super::SINES;

        /// Compresses so many blocks of each run. Lanes without one do the work of the first again.
        #[target_feature(enable = $feature)]
        pub(super) fn advance(runs: &mut [Run<'_>], blocks: usize) {
            let of = |lane: usize| if lane < runs.len() { lane } else { 0 };
            let messages: [&[Block]; $lanes] = std::array::from_fn(|lane| &runs[of(lane)].blocks[..blocks]);
            let mut chain: [$vector; 4] =
                std::array::from_fn(|word| $set($(runs[of($lane)].chain[word].cast_signed()),+));
            for block in 0..blocks {
                let of = |lane: usize, word: usize| {
                    let (words, _) = messages[lane][block].as_chunks::<4>();
                    i32::from_le_bytes(words[word])
                };
                let words: [$vector; 16] = std::array::from_fn(|word| $set($(of($lane, word)),+));
                chain = compress(chain, &words);
            }
            let chain = chain.map(|vector| lanes_of(vector));
            for (lane, run) in runs.iter_mut().enumerate() {
                *run.chain = std::array::from_fn(|word| chain[word][lane]);
                run.blocks = &run.blocks[blocks..];
            }
        }

        #[target_feature(enable = $feature)]
        fn lanes_of(vector: $vector) -> [u32; $lanes] {
            // SAFETY: both are so many lanes of 32 bits, and any bits are a number.
            unsafe { std::mem::transmute(vector) }
        }

        #[target_feature(enable = $feature)]
        fn compress(before: [$vector; 4], words: &[$vector; 16]) -> [$vector; 4] {
            let ones = $splat(-1);
            let after = round::<0>(before, words, |b, c, d| $xor(d, $and(b, $xor(c, d))));
            let after = round::<1>(after, words, |b, c, d| $xor(c, $and(d, $xor(b, c))));
            let after = round::<2>(after, words, |b, c, d| $xor($xor(b, c), d));
            let after = round::<3>(after, words, |b, c, d| $xor(c, $or(b, $xor(d, ones))));
            std::array::from_fn(|word| $add(before[word], after[word]))
        }

        /// The sixteen steps of one round, in fours: after four each variable is in its own place again.
        #[inline]
        #[target_feature(enable = $feature)]
        fn round<const NUMBER: usize>(
            [mut a, mut b, mut c, mut d]: [$vector; 4],
            words: &[$vector; 16],
            mix: impl Fn($vector, $vector, $vector) -> $vector,
        ) -> [$vector; 4] {
            // How much each step adds to a, and by how much it rotates.
            let given = |a: $vector, step: usize| {
                let (each, first) = super::WORDS[NUMBER];
                let word = words[(each * step + first) % 16];
                $add(a, $add(word, $splat(SINES[NUMBER * 16 + step].cast_signed())))
            };
            let [first, second, third, fourth] = ROTATIONS[NUMBER];
            for step in [0, 4, 8, 12] {
                a = $add(b, $rotate($add(given(a, step), mix(b, c, d)), first));
                d = $add(a, $rotate($add(given(d, step + 1), mix(a, b, c)), second));
                c = $add(d, $rotate($add(given(c, step + 2), mix(d, a, b)), third));
                b = $add(c, $rotate($add(given(b, step + 3), mix(c, d, a)), fourth));
            }
            [a, b, c, d]
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::__m512i;
    use std::arch::x86_64::_mm512_add_epi32;
    use std::arch::x86_64::_mm512_and_si512;
    use std::arch::x86_64::_mm512_or_si512;
    use std::arch::x86_64::_mm512_rolv_epi32;
    use std::arch::x86_64::_mm512_set_epi32;
    use std::arch::x86_64::_mm512_set1_epi32;
    use std::arch::x86_64::_mm512_xor_si512;

    lanes!(
        "avx512f", 16, __m512i, splat _mm512_set1_epi32,
        set _mm512_set_epi32(15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0),
        add _mm512_add_epi32, and _mm512_and_si512, or _mm512_or_si512, xor _mm512_xor_si512,
        rotate |vector, by: u32| _mm512_rolv_epi32(vector, _mm512_set1_epi32(by.cast_signed()))
    );
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::__m256i;
    use std::arch::x86_64::_mm_cvtsi32_si128;
    use std::arch::x86_64::_mm256_add_epi32;
    use std::arch::x86_64::_mm256_and_si256;
    use std::arch::x86_64::_mm256_or_si256;
    use std::arch::x86_64::_mm256_set_epi32;
    use std::arch::x86_64::_mm256_set1_epi32;
    use std::arch::x86_64::_mm256_sll_epi32;
    use std::arch::x86_64::_mm256_srl_epi32;
    use std::arch::x86_64::_mm256_xor_si256;

    lanes!(
        "avx2", 8, __m256i, splat _mm256_set1_epi32, set _mm256_set_epi32(7 6 5 4 3 2 1 0),
        add _mm256_add_epi32, and _mm256_and_si256, or _mm256_or_si256, xor _mm256_xor_si256,
        rotate |vector, by: u32| {
            let by = by.cast_signed();
            let high = _mm256_sll_epi32(vector, _mm_cvtsi32_si128(by));
            _mm256_or_si256(high, _mm256_srl_epi32(vector, _mm_cvtsi32_si128(32 - by)))
        }
    );
}
