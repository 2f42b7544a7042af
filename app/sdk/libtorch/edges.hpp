// What readers of a port get: a part of a window, or a stream with its past.
#pragma once

#include <torch/torch.h>

#include <algorithm>

#include "bundle.hpp"

using Values = std::map<Place, torch::Tensor>;

struct Reader {
  Place place;
  Port given;
  bool feedback;
};

class Edge {
 public:
  Edge(const Port& port, const std::vector<Reader>& readers, Fraction block)
      : axis_(port.time_axis()), window_(port.window) {
    if (window_) {
      for (const Reader& reader : readers)
        parts_.push_back({reader.place, port.index(reader.given.interval.start), reader.given.count});
      return;
    }
    // A reader in a feedback loop runs before the port's node: it finds the tick before.
    const auto end_for = [&](const Reader& reader) {
      return reader.feedback ? port.interval.end - block : port.interval.end;
    };
    Fraction reach;
    for (const Reader& reader : readers)
      reach = std::max(reach, end_for(reader) - reader.given.interval.start);
    const std::int64_t length = std::max((reach * port.rate).ceil(), port.count);
    for (const Reader& reader : readers) {
      const auto back = ((end_for(reader) - reader.given.interval.start) * port.rate).floor();
      parts_.push_back({reader.place, length - back, reader.given.count});
    }
    kept_ = torch::zeros(port.shape(length));
  }

  // Before the first block.
  void show(Values& values) const {
    if (!window_) deliver(values, kept_);
  }

  void operator()(Values& values, const torch::Tensor& made) {
    if (window_) return deliver(values, made);
    const auto joined = torch::cat({kept_, made}, axis_);
    kept_ = joined.narrow(axis_, joined.size(axis_) - kept_.size(axis_), kept_.size(axis_));
    deliver(values, kept_);
  }

 private:
  struct Part {
    Place place;
    std::int64_t start, count;
  };

  void deliver(Values& values, const torch::Tensor& made) const {
    for (const Part& part : parts_) values[part.place] = made.narrow(axis_, part.start, part.count);
  }

  int axis_;
  bool window_;
  std::vector<Part> parts_;
  torch::Tensor kept_;
};
