"""Owns the numbers of NVFP4: 4-bit floats (E2M1) in blocks of 16 along K, a scale of 8 bits (E4M3) a block, one float32 a matrix.

It reads and writes no files (nvfp4_files.py). All arithmetic is float32 in the order that modelopt uses, so that the app
(src/core/nvfp4/) gives the same bits. Sources: arXiv 2509.25149, section 2; nvidia-modelopt 0.47, nvfp4_tensor.py; the
choice between a largest value of 6 and of 4 ("four over six"): arXiv 2512.02010.
"""

from __future__ import annotations

from dataclasses import dataclass

import ml_dtypes
import numpy as np

from .quantise import BlockQuantised

BLOCK = 16  # values that share a scale
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6], np.float32)  # by the three low bits of a code; bit 3 is the sign
MIDDLES = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5], np.float32)  # between neighbours
UP_AT_TIES = np.array([False, True, False, True, False, True, False])  # a tie goes to the even code
LARGEST = 6.0
LARGEST_SCALE = 448.0  # of E4M3
SMALLEST_SCALE = 2.0**-9  # the least above 0 in E4M3
SCALE_ROOM = 256.0  # largest block scale under four over six: half as much again, 384, is still a number of E4M3


def encode_e2m1(values: np.ndarray) -> np.ndarray:
    """Codes 0 to 15 of the nearest E2M1 numbers, ties to the even code, beyond 6 held at 6; same shape, uint8."""
    size = np.abs(values).astype(np.float32)
    codes = np.searchsorted(MIDDLES, size, side="left").astype(np.uint8)
    for middle in MIDDLES[UP_AT_TIES]:
        codes += size == middle
    return codes | np.where(values < 0, np.uint8(8), np.uint8(0))


def decode_e2m1(codes: np.ndarray) -> np.ndarray:
    """The numbers of codes 0 to 15, float32."""
    size = E2M1[codes & 7]
    return np.where(codes & 8, -size, size).astype(np.float32)


def encode_e4m3(values: np.ndarray) -> np.ndarray:
    """Bits of the nearest E4M3 numbers of scales, which are held between the least and the largest; uint8."""
    held = np.clip(values.astype(np.float32), np.float32(SMALLEST_SCALE), np.float32(LARGEST_SCALE))
    return held.astype(ml_dtypes.float8_e4m3fn).view(np.uint8)


def decode_e4m3(bits: np.ndarray) -> np.ndarray:
    """The numbers of E4M3 bits, float32."""
    return bits.astype(np.uint8).view(ml_dtypes.float8_e4m3fn).astype(np.float32)


@dataclass(frozen=True)
class PackedMatrix:
    """A matrix (N, K) in NVFP4."""

    packed: np.ndarray  # (N, K / 2) uint8, the value of even index in the low four bits
    scale_bits: np.ndarray  # (N, K / 16) uint8, E4M3
    tensor_scale: np.float32  # scales times this; or over this, where `divides`
    divides: bool = False  # compressed-tensors keeps the inverse of modelopt's tensor scale

    def codes(self) -> np.ndarray:
        """(N, K) uint8, 0 to 15."""
        rows, half = self.packed.shape
        return np.stack([self.packed & 15, self.packed >> 4], -1).reshape(rows, 2 * half)

    def block_scales(self) -> np.ndarray:
        """What the codes of each block are multiplied by: (N, K / 16) float32."""
        scales = decode_e4m3(self.scale_bits)
        return (scales / self.tensor_scale if self.divides else scales * self.tensor_scale).astype(np.float32)

    def dequantise(self) -> np.ndarray:
        """(N, K) float32."""
        values = decode_e2m1(self.codes())
        return values * np.repeat(self.block_scales(), BLOCK, axis=1)

    def eight_bits(self) -> BlockQuantised:
        """The same matrix, bit for bit, as MatMulNBits reads it with 8 bits in blocks of 16.

        Twice an E2M1 number is an integer of at most 12; the half goes into the scale, which costs no rounding.
        """
        doubled = (2 * decode_e2m1(self.codes())).astype(np.int16)
        codes = (doubled + 128).astype(np.uint8).reshape(len(doubled), -1, BLOCK)
        return BlockQuantised(codes, self.block_scales() * np.float32(0.5), 8)


def _try_scales(blocks: np.ndarray, scale_bits: np.ndarray, tensor_scale: np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Codes (N, blocks, 16) under given block scales, and each block's sum of squared errors (N, blocks) in float64."""
    scale = (decode_e4m3(scale_bits) * tensor_scale)[..., None]
    codes = encode_e2m1(blocks / scale)
    difference = (decode_e2m1(codes) * scale).astype(np.float64) - blocks
    error = np.zeros(scale_bits.shape)
    for column in range(BLOCK):  # one after the other: the app adds in this order too
        error += difference[..., column] ** 2
    return codes, error


def pack_matrix(weight: np.ndarray, four_over_six: bool = False) -> PackedMatrix:
    """Packs (N, K), K a multiple of 16. `four_over_six`: each block's largest value becomes 6 or 4, whichever errs less."""
    rows, size = weight.shape
    if size % BLOCK:
        raise ValueError(f"K = {size} is not a multiple of {BLOCK}, the block of NVFP4")
    if not np.isfinite(weight).all():
        raise ValueError("the matrix holds NaN or infinity")
    blocks = weight.astype(np.float32).reshape(rows, size // BLOCK, BLOCK)
    largest = np.abs(blocks).max(-1)  # (N, blocks)
    room = np.float32(LARGEST * (SCALE_ROOM if four_over_six else LARGEST_SCALE))
    tensor_scale = np.float32(largest.max() / room) or np.float32(1)

    def scale_bits(most: float) -> np.ndarray:
        wanted = largest / (np.float32(most) * tensor_scale)
        return encode_e4m3(np.where(wanted == 0, np.float32(1), wanted))

    bits = scale_bits(LARGEST)
    codes, error = _try_scales(blocks, bits, tensor_scale)
    if four_over_six:
        other = scale_bits(4.0)
        other_codes, other_error = _try_scales(blocks, other, tensor_scale)
        better = other_error < error
        bits = np.where(better, other, bits)
        codes = np.where(better[..., None], other_codes, codes)
    flat = codes.reshape(rows, size)
    return PackedMatrix((flat[:, 0::2] | (flat[:, 1::2] << 4)).astype(np.uint8), bits, tensor_scale)
