/*
 * file_host in C++: a WAV file through any pipeline, block by block.
 *
 *   file_host_cpp default-live in.wav out.wav
 *   file_host_cpp default-live in.wav out.wav --profile michael nodes.pitch.params.transpose=-2
 *
 * The output is moved back by the latency and is as long as the input.
 */
#include "voicegraph.hpp"
#include "wav.h"

#include <algorithm>
#include <iostream>

namespace {

/* A file that cannot be read or written. */
struct FileError : std::runtime_error {
  FileError(const std::string &path, const char *why, int exit_code)
      : std::runtime_error(path + ": " + why), code(exit_code)
  {
  }
  int code;
};

struct Wav : wav_t {
  explicit Wav(const std::string &path)
  {
    if (const char *wrong = wav_read(path.c_str(), this))
      throw FileError(path, wrong, VG_ERROR_INPUT);
  }
  Wav(const Wav &) = delete;
  Wav &operator=(const Wav &) = delete;
  ~Wav() { wav_free(this); }
};

voicegraph::Options options_from(const std::vector<std::string> &words, const Wav &in)
{
  voicegraph::Options options;
  for (std::size_t i = 4; i < words.size(); i++) {
    if (words[i] == "--profile" && i + 1 < words.size())
      options.profiles.push_back(words[++i]);
    else
      options.overrides.push_back(words[i]);
  }
  options.in_rate = in.rate;
  options.in_channels = in.channels;
  return options;
}

/* Processes blocks until `frames` have come out behind the latency. */
std::vector<float> process(voicegraph::Session &session, const Wav &in, long frames)
{
  const vg_format format = session.format();
  const long wanted = frames + format.latency;
  const auto blocks = static_cast<std::size_t>((wanted + format.out_frames - 1) / format.out_frames);
  const auto total = static_cast<std::size_t>(in.frames) * static_cast<std::size_t>(in.channels);
  std::vector<float> block(session.in_size()), out(blocks * session.out_size());
  for (std::size_t i = 0; i < blocks; i++) {
    const std::size_t begin = std::min(i * block.size(), total);
    const std::size_t end = std::min(begin + block.size(), total);
    const auto rest = std::copy(in.samples + begin, in.samples + end, block.begin());
    std::fill(rest, block.end(), 0.0f); /* silence after the end */
    session.process(block.data(), out.data() + i * session.out_size());
  }
  return out;
}

void convert(const std::vector<std::string> &words)
{
  const Wav in(words[2]);
  voicegraph::Session session(words[1], options_from(words, in));
  const vg_format format = session.format();
  wav_t out;
  out.rate = format.out_rate;
  out.channels = format.out_channels;
  out.frames = wav_frames_at(&in, out.rate);
  auto made = process(session, in, out.frames);
  out.samples = made.data() + static_cast<std::ptrdiff_t>(format.latency) * out.channels;
  if (const char *wrong = wav_write(words[3].c_str(), &out))
    throw FileError(words[3], wrong, VG_ERROR_OUTPUT);
  std::cout << words[3] << ": " << out.frames << " frames at " << out.rate
            << " Hz, channels: " << out.channels << "\n";
}

} // namespace

int main(int count, char **words)
{
  if (count < 4) {
    std::cerr << "usage: file_host_cpp PIPELINE IN.wav OUT.wav [PATH=VALUE | --profile NAME]...\n";
    return VG_ERROR_PIPELINE;
  }
  try {
    convert(std::vector<std::string>(words, words + count));
    return 0;
  } catch (const voicegraph::Error &error) {
    std::cerr << "file_host_cpp: " << error.what() << "\n";
    return error.code();
  } catch (const FileError &error) {
    std::cerr << "file_host_cpp: " << error.what() << "\n";
    return error.code;
  } catch (const std::exception &error) {
    std::cerr << "file_host_cpp: " << error.what() << "\n";
    return VG_ERROR_OTHER;
  }
}
