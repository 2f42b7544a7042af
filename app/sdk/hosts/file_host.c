/*
 * file_host: a WAV file through any pipeline, block by block.
 *
 *   file_host default-live in.wav out.wav
 *   file_host default-live in.wav out.wav --profile michael nodes.pitch.params.transpose=-2
 *
 * The output is moved back by the latency and is as long as the input.
 */
#include "voicegraph.h"
#include "wav.h"

static int failed(const char *what, int code, const char *why)
{
  fprintf(stderr, "file_host: %s: %s\n", what, why);
  return code ? code : VG_ERROR_OTHER;
}

/* Opens the pipeline for the rate and the channels of the file. */
static vg_session *open_session(int count, char **words, const wav_t *in, vg_error *err)
{
  vg_options options = VG_OPTIONS_INIT;
  const char **texts = (const char **)calloc(2 * (size_t)count, sizeof *texts);
  vg_session *session;
  int i;

  if (!texts)
    return NULL;
  options.overrides = texts;
  options.profiles = texts + count;
  for (i = 4; i < count; i++) {
    if (!strcmp(words[i], "--profile") && i + 1 < count)
      texts[count + options.profile_count++] = words[++i];
    else
      texts[options.override_count++] = words[i];
  }
  options.in_rate = in->rate;
  options.in_channels = in->channels;
  session = vg_open_with(words[1], &options, err);
  free(texts); /* all texts are copied before a function returns */
  return session;
}

/* Processes blocks until `frames` have come out behind the latency; the samples, or NULL. */
static float *process(vg_session *session, const wav_t *in, const vg_format *format, long frames,
                      vg_error *err)
{
  long blocks = (frames + format->latency + format->out_frames - 1) / format->out_frames;
  size_t in_size = (size_t)format->in_frames * format->in_channels;
  size_t out_size = (size_t)format->out_frames * format->out_channels;
  float *block = (float *)calloc(in_size, sizeof *block);
  float *out = (float *)calloc((size_t)blocks * out_size + 1, sizeof *out);
  long i;

  for (i = 0; block && out && i < blocks; i++) {
    long left = in->frames - i * format->in_frames;
    long count = left < 0 ? 0 : left < format->in_frames ? left : format->in_frames;
    memset(block, 0, in_size * sizeof *block); /* silence after the end */
    if (count)
      memcpy(block, in->samples + i * in_size, (size_t)(count * in->channels) * sizeof *block);
    if (vg_process(session, block, format->in_frames, out + i * out_size, format->out_frames, err))
      break;
  }
  free(block);
  if (block && i == blocks)
    return out;
  free(out);
  return NULL;
}

static int convert(vg_session *session, const wav_t *in, const char *path, vg_error *err)
{
  vg_format format;
  wav_t out;
  float *made;
  const char *wrong;

  if (vg_get_format(session, &format, err))
    return failed("the session", err->code, err->message);
  out.rate = format.out_rate;
  out.channels = format.out_channels;
  out.frames = wav_frames_at(in, out.rate);
  made = process(session, in, &format, out.frames, err);
  if (!made)
    return failed("processing", err->code, err->code ? err->message : "out of memory");
  out.samples = made + (long)format.latency * out.channels;
  wrong = wav_write(path, &out);
  free(made);
  if (wrong)
    return failed(path, VG_ERROR_OUTPUT, wrong);
  printf("%s: %ld frames at %d Hz, channels: %d\n", path, out.frames, out.rate, out.channels);
  return 0;
}

int main(int count, char **words)
{
  vg_error err = {0, ""};
  vg_session *session;
  const char *wrong;
  wav_t in;
  int code;

  if (count < 4) {
    fputs("usage: file_host PIPELINE IN.wav OUT.wav [PATH=VALUE | --profile NAME]...\n", stderr);
    return VG_ERROR_PIPELINE;
  }
  if ((wrong = wav_read(words[2], &in)) != NULL)
    return failed(words[2], VG_ERROR_INPUT, wrong);
  session = open_session(count, words, &in, &err);
  if (!session)
    return failed(words[1], err.code, err.code ? err.message : "out of memory");
  code = convert(session, &in, words[3], &err);
  vg_close(session, NULL);
  wav_free(&in);
  return code;
}
