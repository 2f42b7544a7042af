// Exact times and rates, as fractions: what the plan of a bundle is written in.
#pragma once

#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>

struct Fraction {
  std::int64_t over = 0, under = 1;

  Fraction() = default;
  Fraction(std::int64_t whole) : over(whole) {}  // NOLINT: numbers are fractions
  Fraction(std::int64_t a, std::int64_t b) {
    const std::int64_t common = std::gcd(a, b) * (b < 0 ? -1 : 1);
    over = a / common;
    under = b / common;
  }

  // "-1/100", "16000" or "0.05".
  static Fraction parse(const std::string& text) {
    try {
      if (const auto bar = text.find('/'); bar != std::string::npos)
        return {std::stoll(text.substr(0, bar)), std::stoll(text.substr(bar + 1))};
      const auto dot = text.find('.');
      if (dot == std::string::npos) return {std::stoll(text)};
      std::int64_t scale = 1;
      for (auto k = dot + 1; k < text.size(); ++k) scale *= 10;
      return {std::stoll(text.substr(0, dot) + text.substr(dot + 1)), scale};
    } catch (const std::logic_error&) {
      throw std::runtime_error("not a fraction: " + text);
    }
  }

  // "50ms", "2.5s" or "125us", in seconds.
  static Fraction seconds(const std::string& text) {
    const auto unit = text.find_first_not_of("-0123456789.");
    const std::string name = unit == std::string::npos ? "" : text.substr(unit);
    const std::int64_t parts = name == "s" ? 1 : name == "ms" ? 1000 : name == "us" ? 1000000 : 0;
    if (parts == 0) throw std::runtime_error("not a duration: " + text);
    return parse(text.substr(0, unit)) * Fraction(1, parts);
  }

  friend Fraction operator*(Fraction a, Fraction b) {
    const Fraction x(a.over, b.under), y(b.over, a.under);  // keeps products small
    return {x.over * y.over, x.under * y.under};
  }
  friend Fraction operator+(Fraction a, Fraction b) {
    return {a.over * b.under + b.over * a.under, a.under * b.under};
  }
  friend Fraction operator-(Fraction a, Fraction b) { return a + Fraction(-b.over, b.under); }
  friend Fraction operator/(Fraction a, Fraction b) { return a * Fraction(b.under, b.over); }
  friend bool operator<(Fraction a, Fraction b) { return (a - b).over < 0; }
  friend bool operator==(Fraction a, Fraction b) { return a.over == b.over && a.under == b.under; }

  std::int64_t floor() const { return over / under - (over % under < 0 ? 1 : 0); }
  std::int64_t ceil() const { return -Fraction(-over, under).floor(); }
  // Halves go to the even whole number, as Python's round() does.
  std::int64_t round() const {
    const std::int64_t low = floor();
    const Fraction rest = *this - low;
    if (rest < Fraction(1, 2)) return low;
    return rest == Fraction(1, 2) ? low + (low & 1) : low + 1;
  }
  double value() const { return static_cast<double>(over) / static_cast<double>(under); }
};
