/*
 * live_host: talk through a pipeline, with PortAudio.
 *
 *   live_host --list
 *   live_host default-live --input "USB microphone" --output Headphones
 *   live_host default-live --profile michael --seconds 60 nodes.pitch.params.transpose=-2
 *
 * PortAudio's callback copies samples between the devices and two ring buffers; the main thread
 * processes whole blocks. So a late block leaves a gap as long as it is late, and the devices go on.
 * Two devices with clocks of their own drift apart, and this program does not compensate that; use
 * one device for both directions, or `voicegraph live`, which compensates.
 */
#include "voicegraph.h"

#include <portaudio.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *pipeline, *input, *output;
  double seconds; /* 0: until Ctrl-C */
  double buffers; /* of the devices, in seconds; 0: what they call high */
  vg_options options;
} arguments_t;

/* A ring buffer between two threads: one writes, one reads. */
typedef struct {
  float *samples; /* [size * channels], interleaved */
  size_t size, channels;
  atomic_size_t written, taken; /* frames since the start */
} ring_t;

typedef struct {
  vg_format format;
  ring_t in, out;
  atomic_size_t largest; /* frames of the largest callback so far */
  atomic_long gaps, lost; /* callbacks for which no block was ready; whose input found no room */
  long blocks;
  double longest; /* seconds of vg_process() */
} live_t;

static volatile sig_atomic_t stopped;

/* Ends after this block; the second time at once, for a sound system that no longer answers. */
static void stop(int number)
{
  stopped = 1;
  signal(number, SIG_DFL);
}

static int failed(const char *what, int code, const char *why)
{
  fprintf(stderr, "live_host: %s: %s\n", what, why);
  return code ? code : VG_ERROR_OTHER;
}

static int list_devices(void)
{
  PaDeviceIndex index, count = Pa_GetDeviceCount();

  for (index = 0; index < count; index++) {
    const PaDeviceInfo *info = Pa_GetDeviceInfo(index);
    printf("%3d  %s, %s: %d in, %d out, %.0f Hz\n", index, Pa_GetHostApiInfo(info->hostApi)->name,
           info->name, info->maxInputChannels, info->maxOutputChannels, info->defaultSampleRate);
  }
  return 0;
}

/* The default device, or the first whose name contains `name`; paNoDevice if there is none. */
static PaDeviceIndex find_device(const char *name, int output)
{
  PaDeviceIndex index, count = Pa_GetDeviceCount();

  if (!name)
    return output ? Pa_GetDefaultOutputDevice() : Pa_GetDefaultInputDevice();
  for (index = 0; index < count; index++) {
    const PaDeviceInfo *info = Pa_GetDeviceInfo(index);
    if ((output ? info->maxOutputChannels : info->maxInputChannels) > 0 && strstr(info->name, name))
      return index;
  }
  return paNoDevice;
}

/* Devices, channels and rate; the pipeline is opened for what they have. */
static int choose_format(const arguments_t *arguments, PaStreamParameters *in,
                         PaStreamParameters *out, double *rate)
{
  const PaDeviceInfo *from, *to;

  memset(in, 0, sizeof *in);
  memset(out, 0, sizeof *out);
  in->device = find_device(arguments->input, 0);
  out->device = find_device(arguments->output, 1);
  if (in->device == paNoDevice)
    return failed(arguments->input ? arguments->input : "input", VG_ERROR_DEVICE,
                  "no such input device; live_host --list shows all");
  if (out->device == paNoDevice)
    return failed(arguments->output ? arguments->output : "output", VG_ERROR_DEVICE,
                  "no such output device; live_host --list shows all");
  from = Pa_GetDeviceInfo(in->device);
  to = Pa_GetDeviceInfo(out->device);
  in->channelCount = 1;
  out->channelCount = to->maxOutputChannels < 2 ? 1 : 2;
  in->sampleFormat = out->sampleFormat = paFloat32;
  in->suggestedLatency = arguments->buffers ? arguments->buffers : from->defaultHighInputLatency;
  out->suggestedLatency = arguments->buffers ? arguments->buffers : to->defaultHighOutputLatency;
  *rate = 48000;
  if (Pa_IsFormatSupported(in, out, *rate) != paFormatIsSupported)
    *rate = to->defaultSampleRate;
  return 0;
}

/* ---- audio -------------------------------------------------------------------------------- */

static size_t ring_filled(ring_t *ring)
{
  return atomic_load(&ring->written) - atomic_load(&ring->taken);
}

/* Writes frames, zeros if there are none; the caller has seen that there is room. */
static void ring_write(ring_t *ring, const float *frames, size_t count)
{
  size_t at = atomic_load(&ring->written), i;

  for (i = 0; i < count; i++) {
    float *to = ring->samples + (at + i) % ring->size * ring->channels;
    if (frames)
      memcpy(to, frames + i * ring->channels, ring->channels * sizeof *to);
    else
      memset(to, 0, ring->channels * sizeof *to);
  }
  atomic_store(&ring->written, at + count);
}

/* Reads frames that are there. */
static void ring_read(ring_t *ring, float *frames, size_t count)
{
  size_t at = atomic_load(&ring->taken), i;

  for (i = 0; i < count; i++)
    memcpy(frames + i * ring->channels,
           ring->samples + (at + i) % ring->size * ring->channels,
           ring->channels * sizeof *frames);
  atomic_store(&ring->taken, at + count);
}

/* Called by PortAudio on its thread: copies, and never waits. */
static int exchange(const void *in, void *out, unsigned long frames,
                    const PaStreamCallbackTimeInfo *times, PaStreamCallbackFlags flags, void *user)
{
  live_t *live = (live_t *)user;
  size_t ready = ring_filled(&live->out), count = ready < frames ? ready : frames;

  (void)times;
  (void)flags;
  if (live->in.size - ring_filled(&live->in) >= frames)
    ring_write(&live->in, (const float *)in, frames);
  else
    atomic_fetch_add(&live->lost, 1);
  ring_read(&live->out, (float *)out, count);
  if (count < frames) {
    memset((float *)out + count * live->out.channels, 0,
           (frames - count) * live->out.channels * sizeof(float));
    atomic_fetch_add(&live->gaps, 1);
  }
  if (frames > atomic_load(&live->largest))
    atomic_store(&live->largest, frames);
  return paContinue;
}

/* Hands a block to the callback. Two blocks and a callback may wait there, one block for gathering,
 * one for computing; what was late is left out, so that a gap adds no latency. */
static void play(live_t *live, const float *block)
{
  size_t frames = (size_t)live->format.out_frames;
  size_t most = 2 * frames + atomic_load(&live->largest);
  size_t waiting = ring_filled(&live->out) + frames;
  size_t late = waiting < most ? 0 : waiting - most < frames ? waiting - most : frames;

  ring_write(&live->out, block + late * live->out.channels, frames - late);
}

/* Processes blocks until Ctrl-C, the end of --seconds, or an error. */
static int run(PaStream *stream, vg_session *session, live_t *live, double seconds)
{
  size_t in_frames = (size_t)live->format.in_frames;
  float *in = (float *)calloc(in_frames * live->in.channels, sizeof *in);
  float *out = (float *)calloc((size_t)live->format.out_frames * live->out.channels, sizeof *out);
  long last = (long)(seconds * live->format.in_rate / live->format.in_frames);
  vg_error err = {0, ""};
  PaError got = in && out ? Pa_StartStream(stream) : paInsufficientMemory;

  while (got == paNoError && !err.code && !stopped && (!last || live->blocks < last)) {
    double begin;
    if (ring_filled(&live->in) < in_frames) {
      Pa_Sleep(1);
      got = Pa_IsStreamActive(stream) == 1 ? paNoError : paUnanticipatedHostError;
      continue;
    }
    ring_read(&live->in, in, in_frames);
    begin = Pa_GetStreamTime(stream);
    vg_process(session, in, live->format.in_frames, out, live->format.out_frames, &err);
    begin = Pa_GetStreamTime(stream) - begin;
    live->longest = begin > live->longest ? begin : live->longest;
    play(live, out);
    live->blocks++;
  }
  free(in);
  free(out);
  if (err.code)
    return failed("processing", err.code, err.message);
  return got == paNoError ? 0 : failed("the devices", VG_ERROR_DEVICE, Pa_GetErrorText(got));
}

/* Ring buffers of a second and 8 blocks, which begin with two blocks of silence. */
static int make_rings(live_t *live)
{
  size_t frames = (size_t)live->format.out_frames;

  live->in.channels = (size_t)live->format.in_channels;
  live->out.channels = (size_t)live->format.out_channels;
  live->in.size = (size_t)live->format.in_rate + 8 * (size_t)live->format.in_frames;
  live->out.size = (size_t)live->format.out_rate + 8 * frames;
  live->in.samples = (float *)calloc(live->in.size * live->in.channels, sizeof(float));
  live->out.samples = (float *)calloc(live->out.size * live->out.channels, sizeof(float));
  if (!live->in.samples || !live->out.samples)
    return failed("the buffers", VG_ERROR_OTHER, "out of memory");
  ring_write(&live->out, NULL, 2 * frames);
  return 0;
}

static int talk(const arguments_t *arguments, vg_session *session, PaStreamParameters *in,
                PaStreamParameters *out)
{
  static live_t live;
  vg_error err = {0, ""};
  PaStream *stream;
  PaError got;
  double block, pipeline, devices;
  int code;

  if (vg_get_format(session, &live.format, &err))
    return failed("the session", err.code, err.message);
  if ((code = make_rings(&live)) != 0)
    return code;
  got = Pa_OpenStream(&stream, in, out, live.format.in_rate, paFramesPerBufferUnspecified, paClipOff,
                      exchange, &live);
  if (got != paNoError)
    return failed("the devices", VG_ERROR_DEVICE, Pa_GetErrorText(got));
  block = 1e3 * live.format.out_frames / live.format.out_rate;
  pipeline = 1e3 * live.format.latency / live.format.out_rate;
  devices = 1e3 * (Pa_GetStreamInfo(stream)->inputLatency + Pa_GetStreamInfo(stream)->outputLatency);
  printf("%s at %d Hz: %s -> %s\n", arguments->pipeline, live.format.in_rate,
         Pa_GetDeviceInfo(in->device)->name, Pa_GetDeviceInfo(out->device)->name);
  printf("latency %.0f ms: two blocks of %.0f ms, pipeline %.0f ms, devices %.0f ms\n",
         2 * block + pipeline + devices, block, pipeline, devices);
  printf("talk; Ctrl-C ends\n");
  fflush(stdout);
  code = run(stream, session, &live, arguments->seconds);
  Pa_AbortStream(stream);
  Pa_CloseStream(stream);
  printf("%ld blocks; the longest took %.1f ms; gaps: %ld, lost input: %ld\n", live.blocks,
         1e3 * live.longest, atomic_load(&live.gaps), atomic_load(&live.lost));
  free(live.in.samples);
  free(live.out.samples);
  return code;
}

/* Opens the pipeline for the devices, and talks. */
static int open_and_talk(arguments_t *arguments)
{
  PaStreamParameters in, out;
  vg_session *session;
  vg_error err = {0, ""};
  double rate;
  int code = choose_format(arguments, &in, &out, &rate);

  if (code)
    return code;
  arguments->options.in_rate = arguments->options.out_rate = (int)rate;
  arguments->options.in_channels = in.channelCount;
  arguments->options.out_channels = out.channelCount;
  arguments->options.recover = 1;
  session = vg_open_with(arguments->pipeline, &arguments->options, &err);
  if (!session)
    return failed(arguments->pipeline, err.code, err.message);
  signal(SIGINT, stop); /* after vg_open: whoever stops the loading ends the program at once */
  signal(SIGTERM, stop);
  code = talk(arguments, session, &in, &out);
  vg_close(session, NULL);
  return code;
}

static int parse(int count, char **words, const char **texts, arguments_t *arguments)
{
  int i;

  arguments->options.overrides = texts;
  arguments->options.profiles = texts + count;
  for (i = 1; i < count; i++) {
    const char *word = words[i], *value = i + 1 < count ? words[i + 1] : NULL;
    if (strncmp(word, "--", 2)) {
      if (!arguments->pipeline)
        arguments->pipeline = word;
      else
        texts[arguments->options.override_count++] = word;
      continue;
    }
    if (!value)
      return 0;
    if (!strcmp(word, "--input"))
      arguments->input = value;
    else if (!strcmp(word, "--output"))
      arguments->output = value;
    else if (!strcmp(word, "--seconds"))
      arguments->seconds = atof(value);
    else if (!strcmp(word, "--buffers"))
      arguments->buffers = atof(value) / 1e3;
    else if (!strcmp(word, "--profile"))
      texts[count + arguments->options.profile_count++] = value;
    else
      return 0;
    i++;
  }
  return arguments->pipeline != NULL;
}

int main(int count, char **words)
{
  const vg_options nothing = VG_OPTIONS_INIT;
  const char **texts = (const char **)calloc(2 * (size_t)count + 1, sizeof *texts);
  arguments_t arguments = {NULL, NULL, NULL, 0, 0, nothing};
  PaError got;
  int code, list = count == 2 && !strcmp(words[1], "--list");

  if (!texts || (!list && !parse(count, words, texts, &arguments))) {
    fputs("usage: live_host --list\n       live_host PIPELINE [--input NAME] [--output NAME] "
          "[--seconds S]\n                 [--buffers MS] [--profile NAME]... [PATH=VALUE]...\n", stderr);
    return VG_ERROR_PIPELINE;
  }
  got = Pa_Initialize();
  if (got != paNoError)
    return failed("PortAudio", VG_ERROR_DEVICE, Pa_GetErrorText(got));
  code = list ? list_devices() : open_and_talk(&arguments);
  Pa_Terminate();
  free(texts);
  return code;
}
