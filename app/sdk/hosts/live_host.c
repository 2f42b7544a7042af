/*
 * live_host: talk through a pipeline, with PortAudio.
 *
 *   live_host --list
 *   live_host default-live --input "USB microphone" --output Headphones
 *   live_host default-live --profile michael --seconds 60 nodes.pitch.params.transpose=-2
 *
 * Reads a block, processes it, writes it: one thread and PortAudio's blocking calls. Two devices
 * with clocks of their own drift apart, and this program does not compensate that; use one device
 * for both directions, or `voicegraph live`, which compensates.
 */
#include "voicegraph.h"

#include <portaudio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *pipeline, *input, *output;
  double seconds; /* 0: until Ctrl-C */
  vg_options options;
} arguments_t;

typedef struct {
  long blocks, overflows, underflows;
  double longest; /* seconds of vg_process() */
} counts_t;

static volatile sig_atomic_t stopped;

static void stop(int number)
{
  (void)number;
  stopped = 1;
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
  in->suggestedLatency = from->defaultLowInputLatency;
  out->suggestedLatency = to->defaultLowOutputLatency;
  *rate = 48000;
  if (Pa_IsFormatSupported(in, out, *rate) != paFormatIsSupported)
    *rate = to->defaultSampleRate;
  return 0;
}

/* The rate and the block are those of the pipeline from here on. */
static PaError open_stream(PaStream **stream, PaStreamParameters *in, PaStreamParameters *out,
                           const vg_format *format)
{
  double block = (double)format->out_frames / format->out_rate;

  /* Computing may take up to a block, so a block and some room must be in the output's buffer. */
  if (out->suggestedLatency < 2 * block)
    out->suggestedLatency = 2 * block;
  return Pa_OpenStream(stream, in, out, format->in_rate, (unsigned long)format->in_frames,
                       paClipOff, NULL, NULL);
}

/* Audio until Ctrl-C, the end of --seconds, or an error. */
static int run(PaStream *stream, vg_session *session, const vg_format *format, double seconds,
               counts_t *counts)
{
  size_t out_size = (size_t)format->out_frames * format->out_channels;
  float *in = (float *)calloc((size_t)format->in_frames * format->in_channels, sizeof *in);
  float *out = (float *)calloc(out_size, sizeof *out);
  long last = (long)(seconds * format->in_rate / format->in_frames);
  vg_error err = {0, ""};
  PaError got = in && out ? Pa_StartStream(stream) : paInsufficientMemory;

  if (got == paNoError)
    got = Pa_WriteStream(stream, out, (unsigned long)format->out_frames); /* a block of silence */
  while (!stopped && (!last || counts->blocks < last)) {
    double begin;
    if (got != paNoError && got != paOutputUnderflowed)
      break;
    got = Pa_ReadStream(stream, in, (unsigned long)format->in_frames);
    if (got != paNoError && got != paInputOverflowed)
      break;
    counts->overflows += got == paInputOverflowed;
    begin = Pa_GetStreamTime(stream);
    if (vg_process(session, in, format->in_frames, out, format->out_frames, &err))
      break;
    begin = Pa_GetStreamTime(stream) - begin;
    counts->longest = begin > counts->longest ? begin : counts->longest;
    got = Pa_WriteStream(stream, out, (unsigned long)format->out_frames);
    counts->underflows += got == paOutputUnderflowed;
    counts->blocks++;
  }
  free(in);
  free(out);
  if (err.code)
    return failed("processing", err.code, err.message);
  if (got == paNoError || got == paInputOverflowed || got == paOutputUnderflowed)
    return 0;
  return failed("the devices", VG_ERROR_DEVICE, Pa_GetErrorText(got));
}

static int talk(const arguments_t *arguments, vg_session *session, PaStreamParameters *in,
                PaStreamParameters *out)
{
  vg_format format;
  vg_error err = {0, ""};
  counts_t counts = {0, 0, 0, 0};
  PaStream *stream;
  PaError got;
  int code;

  if (vg_get_format(session, &format, &err))
    return failed("the session", err.code, err.message);
  got = open_stream(&stream, in, out, &format);
  if (got != paNoError)
    return failed("the devices", VG_ERROR_DEVICE, Pa_GetErrorText(got));
  printf("%s at %d Hz: %s -> %s\n", arguments->pipeline, format.in_rate,
         Pa_GetDeviceInfo(in->device)->name, Pa_GetDeviceInfo(out->device)->name);
  printf("latency %.0f ms: a block of %.0f ms, pipeline %.0f ms, devices %.0f ms\n",
         1e3 * ((double)(format.out_frames + format.latency) / format.out_rate +
                Pa_GetStreamInfo(stream)->inputLatency + Pa_GetStreamInfo(stream)->outputLatency),
         1e3 * format.out_frames / format.out_rate, 1e3 * format.latency / format.out_rate,
         1e3 * (Pa_GetStreamInfo(stream)->inputLatency + Pa_GetStreamInfo(stream)->outputLatency));
  printf("talk; Ctrl-C ends\n");
  fflush(stdout);
  code = run(stream, session, &format, arguments->seconds, &counts);
  Pa_StopStream(stream);
  Pa_CloseStream(stream);
  printf("%ld blocks; the longest took %.1f ms; input overflows: %ld, output underflows: %ld\n",
         counts.blocks, 1e3 * counts.longest, counts.overflows, counts.underflows);
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
  arguments_t arguments = {NULL, NULL, NULL, 0, nothing};
  PaError got;
  int code, list = count == 2 && !strcmp(words[1], "--list");

  if (!texts || (!list && !parse(count, words, texts, &arguments))) {
    fputs("usage: live_host --list\n       live_host PIPELINE [--input NAME] [--output NAME] "
          "[--seconds S]\n                 [--profile NAME]... [PATH=VALUE]...\n", stderr);
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
