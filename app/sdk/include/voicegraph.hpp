/*
 * voicegraph.hpp: voicegraph.h for C++17. Handles close themselves, errors are exceptions.
 *
 *   voicegraph::Options options;
 *   options.overrides = {"block=20ms"};
 *   voicegraph::Session session("default-live", options);
 *   std::vector<float> in(session.in_size()), out(session.out_size());
 *   session.process(in.data(), out.data());
 *
 * Everything that voicegraph.h says about threads, text and buffers holds here, too.
 */
#ifndef VOICEGRAPH_HPP
#define VOICEGRAPH_HPP

#include "voicegraph.h"

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace voicegraph {

/* What voicegraph.h reports as code and sentence. */
class Error : public std::runtime_error {
public:
  explicit Error(const vg_error &error) : std::runtime_error(error.message), code_(error.code) {}

  /* A code of the list in voicegraph.h, such as VG_ERROR_INPUT. */
  int code() const noexcept { return code_; }

private:
  int code_;
};

namespace detail {

inline void require(int failed, const vg_error &error)
{
  if (failed)
    throw Error(error);
}

inline std::vector<const char *> pointers(const std::vector<std::string> &texts)
{
  std::vector<const char *> found;
  for (const std::string &text : texts)
    found.push_back(text.c_str());
  return found;
}

/* Functions that sessions of pipelines and RVC voices have in common. Move-only. */
class Handle {
public:
  /* Rates, channels and frames of a block, and the latency. */
  vg_format format() const
  {
    vg_format format;
    vg_error error;
    require(vg_get_format(handle(), &format, &error), error);
    return format;
  }

  /* Frames of the output by which it is behind the input, beside the block itself. */
  int latency() const
  {
    vg_error error;
    int latency = vg_get_latency(handle(), &error);
    require(latency < 0, error);
    return latency;
  }

  /* A live param, "node.param", from the next block on. */
  void set(const std::string &param, double value)
  {
    vg_error error;
    require(vg_set(handle(), param.c_str(), value, &error), error);
  }

  /* A live param that is no number; the value in YAML. */
  void set(const std::string &param, const std::string &value)
  {
    vg_error error;
    require(vg_set_text(handle(), param.c_str(), value.c_str(), &error), error);
  }
  void set(const std::string &param, const char *value) { set(param, std::string(value)); }

  double get(const std::string &param) const
  {
    double value;
    vg_error error;
    require(vg_get(handle(), param.c_str(), &value, &error), error);
    return value;
  }

  /* Changes what is not live, without a gap, while another thread processes. */
  void swap(const std::vector<std::string> &overrides)
  {
    auto texts = pointers(overrides);
    vg_error error;
    require(vg_swap(handle(), texts.data(), static_cast<int>(texts.size()), &error), error);
  }

  /* Forgets all audio. */
  void reset()
  {
    vg_error error;
    require(vg_reset(handle(), &error), error);
  }

  /* The state as JSON. */
  std::string status() const
  {
    std::string text(4096, '\0');
    for (;;) { /* another thread may make the text longer between two calls */
      vg_error error;
      int length = vg_status(handle(), &text[0], static_cast<int>(text.size()), &error);
      require(length < 0, error);
      bool fits = static_cast<std::size_t>(length) < text.size();
      text.resize(static_cast<std::size_t>(length) + (fits ? 0 : 1024));
      if (fits)
        return text;
    }
  }

  /* The handle for functions of voicegraph.h; it stays owned by this object. */
  vg_session *handle() const noexcept { return handle_.get(); }

protected:
  using Closer = void (*)(vg_session *);

  Handle(vg_session *handle, Closer closer) noexcept : handle_(handle, closer) {}

private:
  std::unique_ptr<vg_session, Closer> handle_;
};

} // namespace detail

/* What a session may be opened with; see vg_options. */
struct Options {
  std::vector<std::string> overrides; /* "path=value" */
  std::vector<std::string> profiles;
  int in_rate = 0; /* 0: that of the pipeline */
  int in_channels = 0;
  int out_rate = 0;
  int out_channels = 0;
  bool recover = false;
  std::string record; /* empty: none */
};

/* A running pipeline. */
class Session : public detail::Handle {
public:
  explicit Session(const std::string &pipeline, const Options &options = {})
      : Handle(open(pipeline, options), close), format_(format())
  {
  }

  /* Samples of a block in all channels. */
  std::size_t in_size() const noexcept { return size(format_.in_frames, format_.in_channels); }
  std::size_t out_size() const noexcept { return size(format_.out_frames, format_.out_channels); }

  /* Processes one block: in_size() samples in, out_size() samples out. */
  void process(const float *in, float *out)
  {
    vg_error error;
    detail::require(
        vg_process(handle(), in, format_.in_frames, out, format_.out_frames, &error), error);
  }

private:
  static std::size_t size(int frames, int channels) noexcept
  {
    return static_cast<std::size_t>(frames) * static_cast<std::size_t>(channels);
  }

  static vg_session *open(const std::string &pipeline, const Options &wanted)
  {
    auto overrides = detail::pointers(wanted.overrides);
    auto profiles = detail::pointers(wanted.profiles);
    vg_options options = VG_OPTIONS_INIT;
    options.overrides = overrides.data();
    options.override_count = static_cast<int>(overrides.size());
    options.profiles = profiles.data();
    options.profile_count = static_cast<int>(profiles.size());
    options.in_rate = wanted.in_rate;
    options.in_channels = wanted.in_channels;
    options.out_rate = wanted.out_rate;
    options.out_channels = wanted.out_channels;
    options.recover = wanted.recover;
    options.record = wanted.record.empty() ? nullptr : wanted.record.c_str();
    vg_error error;
    vg_session *session = vg_open_with(pipeline.c_str(), &options, &error);
    detail::require(session == nullptr, error);
    return session;
  }

  static void close(vg_session *session) { vg_close(session, nullptr); }

  vg_format format_;
};

/* An RVC voice by the rvc_* functions. Params, status and latency exist once load() is done. */
class RvcVoice : public detail::Handle {
public:
  explicit RvcVoice(const rvc_config_t &config) : Handle(create(config), destroy) {}

  /* Loads encoder, voice and index (empty: none). May be called again for another voice. */
  void load(const std::string &hubert, const std::string &voice, const std::string &index = {})
  {
    vg_error error;
    const char *path = index.empty() ? nullptr : index.c_str();
    detail::require(
        rvc_load_models(handle(), hubert.c_str(), voice.c_str(), path, &error), error);
  }

  /* Frames of a block. */
  int block_size() const
  {
    int size = rvc_get_required_block_size(handle());
    if (size < 0)
      throw std::logic_error("this RvcVoice was moved from");
    return size;
  }

  /* Processes one block: block_size() frames, mono in, all channels of the config out. */
  void process(const float *in_mono, float *out_interleaved)
  {
    vg_error error;
    int size = block_size();
    detail::require(
        rvc_process_block(handle(), in_mono, size, out_interleaved, size, &error), error);
  }

private:
  static vg_session *create(const rvc_config_t &config)
  {
    vg_error error;
    rvc_handle_t voice = rvc_create(&config, &error);
    detail::require(voice == nullptr, error);
    return static_cast<vg_session *>(voice);
  }

  static void destroy(vg_session *voice) { rvc_destroy(voice); }
};

} // namespace voicegraph

#endif
