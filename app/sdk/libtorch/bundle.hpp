// The plan of a bundle (schemas/bundle.py): ports with exact spans of time, nodes with params.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "exact_time.hpp"

using Json = nlohmann::ordered_json;  // the order of a network's inputs counts

struct Interval {
  Fraction start, end;
  Fraction duration() const { return end - start; }
};

struct Port {
  std::string kind;
  Fraction rate;
  std::int64_t width = 1, count = 0;
  Interval interval, core;
  bool window = false;

  // Whole samples or frames from the start of the interval to a time.
  std::int64_t index(Fraction time) const { return ((time - interval.start) * rate).floor(); }

  int time_axis() const { return kind == "audio" ? 2 : 1; }

  // Sizes of the values of one stream.
  std::vector<std::int64_t> shape(std::int64_t length) const {
    if (kind == "audio") return {1, width, length};
    if (kind == "features") return {1, length, width};
    return {1, length};
  }

  static Port of(const Json& json) {
    const auto time = [&](const char* name) {
      return Fraction::parse(json.at(name).get<std::string>());
    };
    Port port;
    port.kind = json.at("kind");
    port.rate = time("rate");
    port.width = json.at("width");
    port.count = json.at("count");
    port.interval = {time("start"), time("end")};
    port.core = {time("core_start"), time("core_end")};
    port.window = json.at("window");
    return port;
  }
};

using Place = std::pair<std::string, std::string>;  // node and port

inline Place place_of(const std::string& text) {  // names of nodes may have a dot
  const auto dot = text.rfind('.');
  return {text.substr(0, dot), text.substr(dot + 1)};
}

struct Input {
  Place source;
  bool feedback = false;
  Port given;
};

struct Node {
  std::string name, use;
  Json params;
  std::int64_t seed = 0;
  std::map<std::string, Input> inputs;
  std::map<std::string, Port> outputs;

  Fraction seconds(const char* param) const {
    const Json& value = params.at(param);
    return value.is_string() ? Fraction::seconds(value) : Fraction::parse(value.dump());
  }
};

struct Plan {
  std::filesystem::path folder;
  Json networks;  // of the manifest, by node
  Fraction block;
  Port input;
  Place output;
  std::int64_t samples_out = 0, latency = 0;
  std::vector<Node> nodes;

  const Port& port(const Place& place) const {
    if (place.first == "input") return input;
    for (const Node& node : nodes)
      if (node.name == place.first) return node.outputs.at(place.second);
    throw std::runtime_error("the plan has no node " + place.first);
  }
};

inline Json read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path.string() + ": cannot be read; name a bundle's folder");
  return Json::parse(file);
}

inline Node node_of(const Json& json) {
  Node node;
  node.name = json.at("name");
  node.use = json.at("use");
  node.params = json.at("params");
  node.seed = json.at("seed");
  for (const auto& [port, found] : json.at("inputs").items())
    node.inputs[port] = {place_of(found.at("source")), found.at("feedback"),
                         Port::of(found.at("given"))};
  for (const auto& [port, found] : json.at("outputs").items())
    node.outputs[port] = Port::of(found);
  return node;
}

inline Plan read_plan(const std::filesystem::path& folder) {
  const Json manifest = read_json(folder / "manifest.json"), json = read_json(folder / "plan.json");
  constexpr int known = 1;
  for (const Json* file : {&manifest, &json})
    if (file->at("format") != known)
      throw std::runtime_error(folder.string() + ": a bundle of another format");
  Plan plan;
  plan.folder = folder;
  plan.networks = manifest.at("networks");
  plan.block = Fraction::parse(json.at("block"));
  plan.input = Port::of(json.at("input"));
  plan.output = place_of(json.at("output"));
  plan.samples_out = json.at("samples_out");
  plan.latency = json.at("latency");
  for (const Json& found : json.at("nodes")) plan.nodes.push_back(node_of(found));
  return plan;
}
