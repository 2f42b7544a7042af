// A network of a bundle: TorchScript, called with inputs by name.
#pragma once

#include <torch/script.h>

#include "bundle.hpp"

class Network {
 public:
  Network(const Plan& plan, const std::string& node) {
    const Json& described = plan.networks.at(node);
    if (described.at("form") != "torchscript")
      throw std::runtime_error(node + ": a network in the form " +
                               described.at("form").get<std::string>() +
                               "\n  fix: voicegraph export PIPELINE --all DIR --form torchscript");
    inputs_ = described.at("inputs");
    for (const auto& [name, output] : described.at("outputs").items()) outputs_.push_back(name);
    const std::string file = described.at("file");
    module_ = torch::jit::load((plan.folder / file).string());
    module_.eval();
  }

  bool takes(const std::string& input) const { return inputs_.contains(input); }
  const Json& input(const std::string& name) const { return inputs_.at(name); }
  const std::string& first_output() const { return outputs_.front(); }

  // Outputs by name. Inputs that the network does not have are left out.
  std::map<std::string, torch::Tensor> operator()(
      const std::map<std::string, torch::Tensor>& given) {
    std::vector<torch::IValue> arguments;
    for (const auto& [name, described] : inputs_.items()) {
      const auto found = given.find(name);
      if (found == given.end()) throw std::runtime_error("a network takes " + name);
      arguments.emplace_back(found->second.to(dtype(described.at("dtype"))));
    }
    const torch::IValue made = module_.forward(arguments);
    std::map<std::string, torch::Tensor> outputs;
    if (made.isTensor()) {
      outputs[outputs_.front()] = made.toTensor();
      return outputs;
    }
    const auto elements = made.toTupleRef().elements();
    for (std::size_t k = 0; k < outputs_.size(); ++k)
      outputs[outputs_[k]] = elements.at(k).toTensor();
    return outputs;
  }

 private:
  static torch::Dtype dtype(const std::string& name) {
    if (name == "float32") return torch::kFloat32;
    if (name == "int64") return torch::kInt64;
    if (name == "float16") return torch::kFloat16;
    throw std::runtime_error("a network takes values in " + name);
  }

  Json inputs_;
  std::vector<std::string> outputs_;
  torch::jit::Module module_;
};
