// The nodes of `rvc` with f0.rmvpe and a flat index, on one stream: tensors in, tensors out.
//
// The arithmetic is that of nodes/ (and of app/bundle/, which is the same in NumPy).
#pragma once

#include <torch/torch.h>

#include <cmath>
#include <functional>
#include <memory>
#include <optional>

#include "bundle.hpp"
#include "flat_index.hpp"
#include "network.hpp"
#include "random_numbers.hpp"

using Tensors = std::map<std::string, torch::Tensor>;
using Process = std::function<Tensors(const Tensors&)>;

constexpr std::int64_t FRAMES_HZ = 100;

inline Process resample(const Node& node, const Plan&) {
  const Port given = node.inputs.at("audio").given, asked = node.outputs.at("out");
  if (!(given.rate == asked.rate))
    throw std::runtime_error(node.name + ": this program does not resample\n"
                                         "  fix: export with --set input.rate=16000");
  const auto begin = given.index(asked.interval.start);
  return [=](const Tensors& in) {
    return Tensors{{"out", in.at("audio").narrow(2, begin, asked.count)}};
  };
}

// The window is encoded anew at each tick; its last frame is repeated where it ends.
inline Process hubert(const Node& node, const Plan& plan) {
  const Port given = node.inputs.at("audio").given, asked = node.outputs.at("content");
  const auto network = std::make_shared<Network>(plan, node.name);
  const auto begin = given.index(asked.interval.start);
  const auto length = (asked.interval.duration() * given.rate).ceil();
  return [=](const Tensors& in) {
    auto made = (*network)({{"audio", in.at("audio").select(1, 0).narrow(1, begin, length)}})
                    .at(network->first_output());
    if (const auto missing = asked.count - made.size(1); missing > 0)
      made = torch::cat({made, made.narrow(1, made.size(1) - 1, 1).expand({-1, missing, -1})}, 1);
    return Tensors{{"content", made.narrow(1, 0, asked.count)}};
  };
}

// F0 with zeros replaced: linearly between voiced frames, held at the ends. [frames], in float64.
inline torch::Tensor filled(const torch::Tensor& f0) {
  auto made = f0.to(torch::kFloat64).contiguous().clone();
  double* at = made.data_ptr<double>();
  std::int64_t before = -1;
  for (std::int64_t k = 0; k < made.numel(); ++k) {
    if (!(at[k] > 0)) continue;
    for (std::int64_t gap = before + 1; gap < k; ++gap) {
      const double slope = before < 0 ? 0.0 : (at[k] - at[before]) / double(k - before);
      at[gap] = before < 0 ? at[k] : slope * double(gap - before) + at[before];
    }
    before = k;
  }
  for (std::int64_t k = before + 1; before >= 0 && k < made.numel(); ++k) at[k] = at[before];
  return made;
}

inline Process rmvpe(const Node& node, const Plan& plan) {
  const Port given = node.inputs.at("audio").given, asked = node.outputs.at("pitch");
  const auto frames = [&](const char* param) {
    return Fraction((node.seconds(param) * FRAMES_HZ).ceil(), FRAMES_HZ);
  };
  const Interval span{asked.interval.start - frames("context"),
                      asked.interval.end + frames("lookahead")};
  const auto begin = given.index(span.start), length = (span.duration() * given.rate).ceil();
  const auto first = ((asked.interval.start - span.start) * FRAMES_HZ).floor();
  const bool fill = node.params.at("fill");
  const auto threshold = torch::full({1}, node.params.at("threshold").get<double>());
  const auto network = std::make_shared<Network>(plan, node.name);
  return [=](const Tensors& in) {
    const auto audio = in.at("audio").select(1, 0).narrow(1, begin, length);
    const auto every = (*network)({{"waveform", audio}, {"threshold", threshold}}).at("pitchf");
    const auto found = every.narrow(1, first, asked.count);
    auto pitch = found;
    if (fill) pitch = filled(every[0]).unsqueeze(0).narrow(1, first, asked.count);
    return Tensors{{"pitch", pitch.to(torch::kFloat32)}, {"voiced", (found > 0).to(torch::kFloat32)}};
  };
}

// Tracks move back by a block; then the new frames are written.
inline Process pitch_cache(const Node& node, const Plan& plan) {
  const Port given = node.inputs.at("pitch").given, asked = node.outputs.at("pitch");
  const auto step = (plan.block * given.rate).floor();
  const auto end = given.index(asked.interval.end);
  const std::int64_t drop = node.params.at("drop_front");
  const auto factor = static_cast<float>(std::exp2(node.params.at("transpose").get<double>() / 12));
  const auto length = std::max(asked.count, given.count);
  auto tracks = std::make_shared<Tensors>();
  (*tracks)["pitch"] = torch::full({1, length}, -0.0f);  // never estimated
  (*tracks)["voiced"] = torch::zeros({1, length});
  return [=](const Tensors& in) {
    const auto pitch = in.at("pitch");
    const auto voiced = in.count("voiced") ? in.at("voiced") : (pitch > 0).to(torch::kFloat32);
    Tensors out;
    for (const auto& [name, values] : Tensors{{"pitch", pitch * factor}, {"voiced", voiced}}) {
      const auto recent = values.slice(1, drop, end);
      const auto& track = tracks->at(name);
      const auto kept = track.narrow(1, step, length - recent.size(1));
      (*tracks)[name] = torch::cat({kept, recent}, 1);
      out[name] = tracks->at(name).slice(1, length - asked.count);
    }
    return out;
  };
}

inline Process retrieval(const Node& node, const Plan& plan) {
  const Port given = node.inputs.at("content").given, asked = node.outputs.at("out");
  const auto first = given.index(asked.interval.start);
  const auto core = std::max<std::int64_t>(given.index(asked.core.start) - first, 0);
  const float rate = node.params.at("rate");
  const std::int64_t k = node.params.at("k");
  const std::string file = node.params.at("index");
  const auto index = std::make_shared<FlatIndex>(plan.folder / file);
  return [=](const Tensors& in) {
    const auto features = in.at("content").narrow(1, first, asked.count).clone();
    const auto frames = features[0].slice(0, core);
    if (rate > 0) frames.copy_(rate * index->neighbour_mean(frames, k) + (1 - rate) * frames);
    return Tensors{{"out", features}};
  };
}

// Bins 1..255 of F0 in Hz, 1 where unvoiced, 0 where never estimated (-0.0).
inline torch::Tensor coarse_pitch(const torch::Tensor& f0) {
  const auto mel = [](double hertz) { return 1127.0 * std::log1p(hertz / 700.0); };
  const double low = mel(50), high = mel(1100);
  const auto scaled = (1127.0 * torch::log1p(f0.to(torch::kFloat64) / 700.0) - low) * 254 /
                          (high - low) + 1;
  const auto bins = scaled.clamp(1, 255).round().to(torch::kInt64);
  return bins.masked_fill(f0.signbit().logical_and(f0 == 0), 0);
}

// Index of the frame that lies at, or last before, each 10 ms of a span.
inline torch::Tensor nearest_frames(const Port& given, const Interval& span) {
  std::vector<std::int64_t> made;
  const Fraction first = (span.start - given.interval.start) * given.rate;
  const auto count = (span.duration() * FRAMES_HZ).floor();
  for (std::int64_t k = 0; k < count; ++k)
    made.push_back(std::min((first + given.rate * Fraction(k, FRAMES_HZ)).floor(), given.count - 1));
  return torch::tensor(made, torch::kInt64);
}

class Voice {
 public:
  Voice(const Node& node, const Plan& plan) : node_(node), network_(plan, node.name) {
    if (node.params.at("formant") != 0)
      throw std::runtime_error(node.name + ": this program has no formant shift\n  fix: --set nodes." +
                               node.name + ".params.formant=0");
    const Port& asked = node.outputs.at("audio");
    const Fraction extra((node.seconds("extra") * FRAMES_HZ).round(), FRAMES_HZ);
    const Interval span{asked.interval.start - extra, node.inputs.at("content").given.core.end};
    skip_ = (extra * FRAMES_HZ).floor();
    length_ = (asked.interval.duration() * FRAMES_HZ).floor();
    samples_ = length_ * (asked.rate / FRAMES_HZ).floor();
    for (const auto& [port, input] : node.inputs) places_[port] = nearest_frames(input.given, span);
  }

  Tensors operator()(const Tensors& in) {
    const auto content = in.at("content").index_select(1, places_.at("content"));
    const auto whole = [](std::int64_t number) { return torch::full({}, number, torch::kInt64); };
    Tensors given{{"feats", content},
                  {"p_len", torch::full({1}, content.size(1), torch::kInt64)},
                  {"sid", torch::full({1}, node_.params.at("speaker").get<int>(), torch::kInt64)},
                  {"skip_head", whole(skip_)},
                  {"return_length", whole(length_)},
                  {"formant_length", whole(0)},
                  {"rnd", prior_noise(content.size(1))},
                  {"noise_scale", torch::zeros({})},  // random numbers are given
                  {"source_noise_scale", torch::zeros({})}};
    if (in.count("pitch")) {
      const auto f0 = in.at("pitch").index_select(1, places_.at("pitch"));
      given["pitchf"] = f0;
      given["pitch"] = coarse_pitch(f0);
      given["source_noise"] = drawn("source", {1, samples_}, "source_noise");
    }
    const auto audio = network_(given).at("audio").reshape({1, 1, -1}).narrow(2, 0, samples_);
    ++tick_;
    return {{"audio", audio}};
  }

 private:
  // [1, channels, frames]: zeros but where the flow's input lies, 24 frames around what is decoded.
  torch::Tensor prior_noise(std::int64_t frames) {
    constexpr std::int64_t reach = 24;
    const std::int64_t channels = network_.input("rnd").at("axes").at(1);
    const auto head = std::max<std::int64_t>(skip_ - reach, 0);
    const auto used = std::min(frames, skip_ + length_ + reach) - head;
    const auto made = torch::zeros({1, channels, frames});
    made.narrow(2, head, used).copy_(drawn("prior", {1, channels, used}, "noise_scale"));
    return made;
  }

  // Normal random numbers of this tick, times a param.
  torch::Tensor drawn(const char* what, at::IntArrayRef shape, const char* scale) {
    const auto made = torch::empty(shape);
    const auto count = static_cast<std::size_t>(made.numel());
    const auto values = random_numbers::normal(node_.seed, node_.name + "." + what, 0,
                                               static_cast<std::uint64_t>(tick_) * count, count);
    std::memcpy(made.data_ptr<float>(), values.data(), count * sizeof(float));
    return made * node_.params.at(scale).get<float>();
  }

  Node node_;
  Network network_;
  std::map<std::string, torch::Tensor> places_;
  std::int64_t skip_ = 0, length_ = 0, samples_ = 0, tick_ = 0;
};

// Aligns each window with the one before, and crossfades.
class Sola {
 public:
  explicit Sola(const Node& node) {
    const Port& given = node.inputs.at("audio").given;
    const auto step = (given.rate / 100).floor();
    const auto crossfade = (node.seconds("crossfade") * 100).round();
    buffer_ = std::min<std::int64_t>(crossfade, 4) * step;
    search_ = (node.seconds("search") * 100).round() * step;
    block_ = node.outputs.at("out").count;
    start_ = given.index(given.core.start);
    const auto ramp = torch::linspace(0.0, 1.0, buffer_);
    fade_in_ = torch::sin(0.5 * M_PI * ramp).square();
    tail_ = torch::zeros({1, given.width, buffer_});
  }

  Tensors operator()(const Tensors& in) {
    const auto window = in.at("audio").slice(2, start_);
    const auto offset = best_offset(window[0].slice(1, 0, buffer_ + search_), tail_[0]);
    const auto cut = window.narrow(2, offset, block_ + buffer_).clone();
    const auto head = cut.narrow(2, 0, buffer_);
    head.copy_(head * fade_in_ + tail_ * (1 - fade_in_));
    tail_ = cut.slice(2, block_);
    return {{"out", cut.narrow(2, 0, block_)},
            {"offset", torch::full({1, 1, 1}, static_cast<float>(offset))}};
  }

 private:
  // The first offset with the highest normalised correlation; both [channels, samples].
  static std::int64_t best_offset(const torch::Tensor& head, const torch::Tensor& tail) {
    const auto wide = head.to(torch::kFloat64), kept = tail.to(torch::kFloat64);
    const auto rows = wide.unfold(1, tail.size(1), 1);  // [channels, offsets, buffer]
    const auto match = (rows * kept.unsqueeze(1)).sum({0, 2});
    const auto energy = rows.square().sum({0, 2});
    const auto score = match / torch::sqrt(energy + 1e-8);
    const auto best = score.amax();
    return (score >= best - 1e-7 * best.abs()).to(torch::kUInt8).argmax().item<std::int64_t>();
  }

  std::int64_t buffer_, search_, block_, start_;
  torch::Tensor fade_in_, tail_;
};

template <typename T>
Process kept(std::shared_ptr<T> node) {
  return [node](const Tensors& in) { return (*node)(in); };
}

inline Process process_of(const Node& node, const Plan& plan) {
  if (node.use == "dsp.resample") return resample(node, plan);
  if (node.use == "content.hubert") return hubert(node, plan);
  if (node.use == "f0.rmvpe") return rmvpe(node, plan);
  if (node.use == "pitch.cache") return pitch_cache(node, plan);
  if (node.use == "retrieval.faiss") return retrieval(node, plan);
  if (node.use == "synth.rvc") return kept(std::make_shared<Voice>(node, plan));
  if (node.use == "dsp.sola") return kept(std::make_shared<Sola>(node));
  throw std::runtime_error(node.name + ": this program has no node " + node.use +
                           "; it runs rvc with nodes.f0.use=f0.rmvpe");
}
