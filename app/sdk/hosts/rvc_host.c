/*
 * rvc_host: a WAV file through an RVC voice, mono in and stereo out.
 *
 *   rvc_host hubert.pt voice.pth voice.index in.wav out.wav
 *   rvc_host hubert.pt voice.pth - in.wav out.wav
 *
 * The output is moved back by the latency and is as long as the input.
 */
#include "voicegraph.h"
#include "wav.h"

#define CHANNELS 2

static int failed(const char *what, int code, const char *why)
{
  fprintf(stderr, "rvc_host: %s: %s\n", what, why);
  return code ? code : VG_ERROR_OTHER;
}

/* The mean of the channels. */
static void mix_down(wav_t *wav)
{
  long i;
  int channel;

  for (i = 0; i < wav->frames; i++) {
    float sum = 0;
    for (channel = 0; channel < wav->channels; channel++)
      sum += wav->samples[i * wav->channels + channel];
    wav->samples[i] = sum / (float)wav->channels;
  }
  wav->channels = 1;
}

/* Processes blocks until `frames` have come out; the samples, interleaved, or NULL. */
static float *process(rvc_handle_t voice, const wav_t *in, long frames, rvc_error_t *err)
{
  int size = rvc_get_required_block_size(voice);
  long blocks = (frames + size - 1) / size, i;
  float *block = (float *)calloc((size_t)size, sizeof *block);
  float *out = (float *)calloc((size_t)(blocks * size * CHANNELS) + 1, sizeof *out);

  for (i = 0; block && out && i < blocks; i++) {
    long left = in->frames - i * size;
    long count = left < 0 ? 0 : left < size ? left : size;
    memset(block, 0, (size_t)size * sizeof *block); /* silence after the end */
    if (count)
      memcpy(block, in->samples + i * size, (size_t)count * sizeof *block);
    if (rvc_process_block(voice, block, size, out + i * size * CHANNELS, size, err))
      break;
  }
  free(block);
  if (block && i == blocks)
    return out;
  free(out);
  return NULL;
}

static int convert(rvc_handle_t voice, const wav_t *in, const char *path, rvc_error_t *err)
{
  int latency = vg_get_latency((vg_session *)voice, err); /* vg_* takes handles of both layers */
  wav_t out;
  float *made;
  const char *wrong;

  if (latency < 0)
    return failed("the voice", err->code, err->message);
  made = process(voice, in, in->frames + latency, err);
  if (!made)
    return failed("processing", err->code, err->code ? err->message : "out of memory");
  out.rate = in->rate;
  out.channels = CHANNELS;
  out.frames = in->frames;
  out.samples = made + (long)latency * CHANNELS;
  wrong = wav_write(path, &out);
  free(made);
  if (wrong)
    return failed(path, VG_ERROR_OUTPUT, wrong);
  printf("%s: %ld frames at %d Hz, channels: %d\n", path, out.frames, out.rate, out.channels);
  return 0;
}

static rvc_config_t config_for(int rate, int with_index)
{
  rvc_config_t config;

  memset(&config, 0, sizeof config);
  config.device = RVC_DEVICE_CPU;
  config.sample_rate = rate;
  config.channels = CHANNELS;
  config.block_time_sec = 0.25f;
  config.crossfade_sec = 0.05f;
  config.extra_sec = 2.5f;
  config.enable_index = with_index;
  config.index_rate = 0.75f;
  config.protect = 1;
  config.f0_method = RVC_F0_WORLD;
  return config;
}

int main(int count, char **words)
{
  rvc_config_t config;
  rvc_error_t err = {0, ""};
  rvc_handle_t voice;
  const char *wrong, *index;
  wav_t in;
  int code;

  if (count != 6) {
    fputs("usage: rvc_host HUBERT VOICE INDEX|- IN.wav OUT.wav\n", stderr);
    return VG_ERROR_PIPELINE;
  }
  if ((wrong = wav_read(words[4], &in)) != NULL)
    return failed(words[4], VG_ERROR_INPUT, wrong);
  mix_down(&in);
  index = strcmp(words[3], "-") ? words[3] : NULL;
  config = config_for(in.rate, index != NULL);
  voice = rvc_create(&config, &err);
  if (!voice)
    code = failed("the config", err.code, err.message);
  else if (rvc_load_models(voice, words[1], words[2], index, &err))
    code = failed(words[2], err.code, err.message);
  else
    code = convert(voice, &in, words[5], &err);
  rvc_destroy(voice);
  wav_free(&in);
  return code;
}
