// The random numbers of voicegraph: a function of seed, node, stream and position.
//
// Philox 4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), keyed by
// BLAKE2b (RFC 7693) of seed, node and stream; Box and Muller's transformation, one word a value.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#ifdef _MSC_VER
#include <intrin.h>
#endif

namespace random_numbers {

using Words = std::array<std::uint64_t, 4>;
using Key = std::array<std::uint64_t, 2>;

inline std::uint64_t rotate_right(std::uint64_t x, int by) { return (x >> by) | (x << (64 - by)); }

// BLAKE2b of 16 bytes, of a text of one block (128 bytes) or less.
inline Key blake2b(const std::string& text) {
  static constexpr std::uint64_t start[8] = {
      0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
      0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  static constexpr unsigned char order[10][16] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};
  static constexpr int mixed[8][4] = {{0, 4, 8, 12}, {1, 5, 9, 13}, {2, 6, 10, 14}, {3, 7, 11, 15},
                                      {0, 5, 10, 15}, {1, 6, 11, 12}, {2, 7, 8, 13}, {3, 4, 9, 14}};
  if (text.size() > 128) throw std::length_error("a node's name is too long");
  unsigned char bytes[128] = {};
  std::memcpy(bytes, text.data(), text.size());
  std::uint64_t words[16];
  for (int k = 0; k < 16; ++k) {
    words[k] = 0;
    for (int b = 7; b >= 0; --b) words[k] = words[k] << 8 | bytes[8 * k + b];
  }
  std::uint64_t first[8], v[16];
  for (int k = 0; k < 8; ++k) {
    first[k] = v[k] = start[k];
    v[k + 8] = start[k];
  }
  first[0] ^= 0x01010000 ^ 16;  // no key, 16 bytes
  v[0] = first[0];
  v[12] ^= text.size();
  v[14] = ~v[14];  // the last block
  for (int round = 0; round < 12; ++round) {
    const auto& place = order[round % 10];
    for (int k = 0; k < 8; ++k) {
      auto &a = v[mixed[k][0]], &b = v[mixed[k][1]], &c = v[mixed[k][2]], &d = v[mixed[k][3]];
      a += b + words[place[2 * k]];
      d = rotate_right(d ^ a, 32);
      c += d;
      b = rotate_right(b ^ c, 24);
      a += b + words[place[2 * k + 1]];
      d = rotate_right(d ^ a, 16);
      c += d;
      b = rotate_right(b ^ c, 63);
    }
  }
  return {first[0] ^ v[0] ^ v[8], first[1] ^ v[1] ^ v[9]};
}

inline std::uint64_t multiply(std::uint64_t a, std::uint64_t b, std::uint64_t& high) {
#ifdef _MSC_VER
  return _umul128(a, b, &high);
#else
  const auto product = static_cast<unsigned __int128>(a) * b;
  high = static_cast<std::uint64_t>(product >> 64);
  return static_cast<std::uint64_t>(product);
#endif
}

inline Words philox(Words counter, Key key) {
  for (int round = 0; round < 10; ++round) {
    std::uint64_t high0, high1;
    const std::uint64_t low0 = multiply(0xD2E7470EE14C6C93, counter[0], high0);
    const std::uint64_t low1 = multiply(0xCA5A826395121157, counter[2], high1);
    counter = {high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0};
    key[0] += 0x9E3779B97F4A7C15;
    key[1] += 0xBB67AE8584CAA73B;
  }
  return counter;
}

// Standard normal values number `position` and following of a random stream.
inline std::vector<float> normal(std::int64_t seed, const std::string& name, int stream,
                                 std::uint64_t position, std::size_t count) {
  const std::string text =
      std::to_string(seed) + '\0' + name + '\0' + std::to_string(stream);
  const Key key = blake2b(text);
  std::vector<float> made(count);
  Words words{};
  for (std::size_t k = 0; k < count; ++k) {
    const std::uint64_t number = position + k;
    if (k == 0 || number % 4 == 0) words = philox({number / 4 + 1, 0, 0, 0}, key);
    const std::uint64_t word = words[number % 4];
    const double radius = std::sqrt(-2.0 * std::log(((word >> 32) + 1) * 0x1p-32));
    const double angle = (word & 0xFFFFFFFF) * (2.0 * 3.141592653589793 * 0x1p-32);
    made[k] = static_cast<float>(radius * std::cos(angle));
  }
  return made;
}

}  // namespace random_numbers
