// A bundle without Python: a recording through `rvc` with f0.rmvpe, its networks in TorchScript.
//
//   voicegraph export rvc --all DIR --form torchscript --set nodes.f0.use=f0.rmvpe
//       --set input.rate=16000 --set vars.voice=alice.pth --set assets.hubert=hubert_base.pt
//       --set assets.rmvpe=rmvpe.pt --set vars.index=flat.index       (one command)
//   bundle_host DIR in.wav out.wav
//   bundle_host DIR in.wav out.wav --ports FOLDER    # and each port's values, raw float32
//
// The output is moved back by the latency and is as long as the input.

#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include "edges.hpp"
#include "nodes.hpp"
#include "wav.h"

namespace {

class Runtime {
 public:
  Runtime(const Plan& plan, const std::string& ports) : plan_(plan), ports_(ports) {
    for (const Node& node : plan.nodes) processes_.push_back(process_of(node, plan));
    std::map<Place, std::vector<Reader>> readers;
    for (const Node& node : plan.nodes)
      for (const auto& [port, input] : node.inputs)
        readers[input.source].push_back({{node.name, port}, input.given, input.feedback});
    for (const auto& [place, found] : readers)
      edges_.emplace(place, Edge(plan.port(place), found, plan.block)).first->second.show(values_);
    const Port& output = plan.port(plan.output);
    axis_ = output.time_axis();
    start_ = output.index(Fraction(0) - Fraction(plan.latency) / output.rate - plan.block);
  }

  // [1, channels, samples] of input to [1, channels, samples] of output.
  torch::Tensor tick(const torch::Tensor& block) {
    torch::Tensor output;
    deliver({"input", "audio"}, block);
    for (std::size_t k = 0; k < plan_.nodes.size(); ++k) {
      const Node& node = plan_.nodes[k];
      Tensors inputs;
      for (const auto& [port, input] : node.inputs) inputs[port] = values_.at({node.name, port});
      for (const auto& [port, made] : processes_[k](inputs)) {
        deliver({node.name, port}, made);
        if (Place{node.name, port} == plan_.output) output = made;
      }
    }
    return output.narrow(axis_, start_, plan_.samples_out);
  }

 private:
  void deliver(const Place& place, const torch::Tensor& made) {
    if (!ports_.empty()) save(place, made.contiguous());
    if (const auto edge = edges_.find(place); edge != edges_.end()) edge->second(values_, made);
  }

  void save(const Place& place, const torch::Tensor& made) const {
    const auto path = std::filesystem::path(ports_) / (place.first + "." + place.second + ".f32");
    std::ofstream file(path, std::ios::binary | std::ios::app);
    file.write(reinterpret_cast<const char*>(made.data_ptr<float>()), made.numel() * 4);
    if (!file) throw std::runtime_error(path.string() + ": cannot be written");
  }

  const Plan& plan_;
  std::string ports_;
  std::vector<Process> processes_;
  std::map<Place, Edge> edges_;
  Values values_;
  int axis_ = 0;
  std::int64_t start_ = 0;
};

torch::Tensor read(const char* path, const Plan& plan) {
  wav_t wav;
  if (const char* wrong = wav_read(path, &wav))
    throw std::runtime_error(std::string(path) + ": " + wrong);
  const auto rate = plan.input.rate.floor();
  if (wav.rate != rate || wav.channels != plan.input.width)
    throw std::runtime_error(std::string(path) + ": " + std::to_string(wav.rate) + " Hz, " +
                             std::to_string(wav.channels) + " channels; the bundle takes " +
                             std::to_string(rate) + " Hz, " + std::to_string(plan.input.width));
  auto made = torch::from_blob(wav.samples, {wav.frames, wav.channels}).t().contiguous().clone();
  wav_free(&wav);
  return made;
}

void convert(const std::string& folder, const char* source, const char* target,
             const std::string& ports) {
  if (!ports.empty() && !std::filesystem::is_empty(ports))
    throw std::runtime_error(ports + ": not empty; name an empty folder");
  const Plan plan = read_plan(folder);
  Runtime runtime(plan, ports);
  const auto audio = read(source, plan);
  const auto rate = plan.port(plan.output).rate;
  const auto wanted = (Fraction(audio.size(1)) / plan.input.rate * rate).round();
  const auto size = plan.input.count;
  const auto blocks = (wanted + plan.latency + plan.samples_out - 1) / plan.samples_out;
  const auto padded = torch::zeros({audio.size(0), std::max(blocks * size, audio.size(1))});
  padded.narrow(1, 0, audio.size(1)).copy_(audio);
  std::vector<torch::Tensor> made;
  const auto begun = std::chrono::steady_clock::now();
  for (std::int64_t k = 0; k < blocks; ++k)
    made.push_back(runtime.tick(padded.narrow(1, k * size, size).unsqueeze(0))[0]);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
  const auto whole = torch::cat(made, 1).narrow(1, plan.latency, wanted).t().contiguous();
  wav_t out{static_cast<int>(rate.floor()), static_cast<int>(whole.size(1)),
            static_cast<long>(whole.size(0)), whole.data_ptr<float>()};
  if (const char* wrong = wav_write(target, &out))
    throw std::runtime_error(std::string(target) + ": " + wrong);
  std::printf("%s: %lld blocks of %.0f ms, %.1f ms each\n", target, static_cast<long long>(blocks),
              1000 * plan.block.value(), took.count() / static_cast<double>(blocks));
}

}  // namespace

int main(int count, char** words) {
  const bool with_ports = count == 6 && std::string(words[4]) == "--ports";
  if (count != 4 && !with_ports) {
    std::fprintf(stderr, "usage: bundle_host BUNDLE IN.wav OUT.wav [--ports EMPTY_FOLDER]\n");
    return 2;
  }
  const torch::InferenceMode inference;
  try {
    convert(words[1], words[2], words[3], with_ports ? words[5] : "");
    return 0;
  } catch (const c10::Error& error) {
    std::fprintf(stderr, "bundle_host: %s\n", error.what_without_backtrace());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bundle_host: %s\n", error.what());
  }
  return 1;
}
