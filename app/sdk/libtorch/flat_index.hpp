// A flat index as FAISS writes it (IxF2: squared Euclidean distances), and its search.
#pragma once

#include <torch/torch.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

class FlatIndex {
 public:
  explicit FlatIndex(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    char kind[4] = {};
    file.read(kind, 4);
    if (!file || std::memcmp(kind, "IxF2", 4) != 0)
      throw std::runtime_error(path.string() + ": no flat index of FAISS (IxF2); this program takes"
                                               " no other");
    const auto dimension = take<std::int32_t>(file);
    const auto count = take<std::int64_t>(file);
    take<std::int64_t>(file);  // two numbers that FAISS no longer uses
    take<std::int64_t>(file);
    take<std::uint8_t>(file);  // trained
    take<std::int32_t>(file);  // metric
    const auto values = take<std::int64_t>(file);
    if (!file || dimension <= 0 || count <= 0 || values / dimension != count)
      throw std::runtime_error(path.string() + ": damaged");
    vectors_ = torch::empty({count, dimension});
    file.read(reinterpret_cast<char*>(vectors_.data_ptr<float>()), vectors_.numel() * 4);
    if (!file) throw std::runtime_error(path.string() + ": shorter than it says");
    squares_ = vectors_.square().sum(1);
  }

  // The mean of the k nearest vectors, weighted by 1 / d^2 of the squared distances: RVC's blend.
  // Queries are [frames, dimension]. If some lie on a query, only these count.
  torch::Tensor neighbour_mean(const torch::Tensor& queries, std::int64_t k) const {
    k = std::min(k, vectors_.size(0));
    // A product finds candidates; near ones lose digits in it, so their distances are taken anew.
    const auto about = squares_ - 2 * queries.matmul(vectors_.t());
    const auto candidates = std::min(4 * k, vectors_.size(0));
    const auto labels = std::get<1>(about.topk(candidates, 1, false));
    const auto found = vectors_.index({labels});
    const auto exact = (found - queries.unsqueeze(1)).square().sum(2);
    const auto [distances, order] = exact.topk(k, 1, false);
    const auto vectors = found.gather(1, order.unsqueeze(2).expand({-1, -1, found.size(2)}));
    const auto wide = distances.to(torch::kFloat64);
    const auto same = wide == 0;
    const auto ratio = wide.amin(1, true) / torch::where(same, torch::ones_like(wide), wide);
    auto weights = torch::where(same, torch::ones_like(wide), ratio * ratio);
    weights = weights / weights.sum(1, true);
    return weights.to(torch::kFloat32).unsqueeze(1).matmul(vectors).squeeze(1);
  }

 private:
  template <typename T>
  static T take(std::ifstream& file) {
    T value{};
    file.read(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }

  torch::Tensor vectors_, squares_;
};
