/* What the tests call through the C interface: one scenario a run, by name. Prints one fact a line. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "voicegraph.h"

static vg_error err;

static void say(const char *what, int result) {
  printf("%s: %d %d %s\n", what, result, err.code, err.message);
}

static float *floats(const char *path, long *count) {
  FILE *file = fopen(path, "rb");
  float *made;
  if (file == NULL) exit(90);
  fseek(file, 0, SEEK_END);
  *count = ftell(file) / 4;
  rewind(file);
  made = malloc(4 * (size_t)*count);
  if (fread(made, 4, (size_t)*count, file) != (size_t)*count) exit(91);
  fclose(file);
  return made;
}

static vg_session *opened(const char *pipeline, int argc, char **argv) {
  vg_session *session = vg_open(pipeline, (const char *const *)argv, argc, &err);
  if (session == NULL) {
    say("open", 0);
    exit(2);
  }
  return session;
}

struct job {
  vg_session *session;
  const float *in;
  float *out;
  long blocks;
  vg_format format;
  int failed;
};

static void *run(void *argument) {
  struct job *job = argument;
  vg_error error;
  size_t in = (size_t)job->format.in_frames * job->format.in_channels;
  size_t out = (size_t)job->format.out_frames * job->format.out_channels;
  /* Buffers of the size of a block, as hosts have them: overwritten after each call. */
  float *given = malloc(4 * in), *made = malloc(4 * out);
  for (long i = 0; i < job->blocks && !job->failed; i++) {
    memcpy(given, job->in + i * in, 4 * in);
    job->failed = vg_process(job->session, given, job->format.in_frames, made,
                             job->format.out_frames, &error);
    memcpy(job->out + i * out, made, 4 * out);
    memset(given, 0x7f, 4 * in);
  }
  if (job->failed) printf("process: %d %s\n", job->failed, error.message);
  free(given);
  free(made);
  return NULL;
}

/* process PIPELINE IN.f32 OUT.f32 SESSIONS OVERRIDES...: each session on a thread of its own */
static int process(int argc, char **argv) {
  int count = atoi(argv[3]), failed = 0;
  long samples;
  float *in = floats(argv[1], &samples);
  struct job jobs[8];
  pthread_t threads[8];
  for (int k = 0; k < count; k++) {
    struct job job = {opened(argv[0], argc - 4, argv + 4), in, NULL, 0, {0}, 0};
    if (vg_get_format(job.session, &job.format, &err)) exit(3);
    job.blocks = samples / (job.format.in_frames * job.format.in_channels);
    job.out = calloc((size_t)job.blocks * job.format.out_frames * job.format.out_channels, 4);
    jobs[k] = job;
  }
  printf("format: %d %d %d %d %d %d %d\n", jobs[0].format.in_frames, jobs[0].format.in_rate,
         jobs[0].format.in_channels, jobs[0].format.out_frames, jobs[0].format.out_rate,
         jobs[0].format.out_channels, vg_get_latency(jobs[0].session, &err));
  for (int k = 0; k < count; k++) pthread_create(&threads[k], NULL, run, &jobs[k]);
  for (int k = 0; k < count; k++) pthread_join(threads[k], NULL);
  for (int k = 0; k < count; k++) {
    char name[4096];
    size_t made = (size_t)jobs[k].blocks * jobs[k].format.out_frames * jobs[k].format.out_channels;
    FILE *file;
    snprintf(name, sizeof name, "%s.%d", argv[2], k);
    file = fopen(name, "wb");
    fwrite(jobs[k].out, 4, made, file);
    fclose(file);
    failed |= jobs[k].failed;
    if (vg_close(jobs[k].session, &err)) say("close", 1);
    free(jobs[k].out);
  }
  free(in);
  return failed;
}

/* rvc HUBERT VOICE INDEX IN.f32 OUT.f32 CHANNELS F0 PROTECT */
static int rvc(int argc, char **argv) {
  rvc_config_t config = {RVC_DEVICE_CPU, 48000, 1, .25f, .05f, .5f, 1, .5f, 0, RVC_F0_WORLD};
  long samples;
  float *in = floats(argv[3], &samples), *out;
  rvc_handle_t handle;
  FILE *file = fopen(argv[4], "wb");
  int frames;
  (void)argc;
  config.channels = atoi(argv[5]);
  config.f0_method = atoi(argv[6]);
  config.protect = atoi(argv[7]);
  handle = rvc_create(&config, &err);
  if (handle == NULL) return say("create", 0), 2;
  frames = rvc_get_required_block_size(handle);
  printf("frames: %d\n", frames);
  out = calloc((size_t)frames * config.channels, 4);
  say("early", rvc_process_block(handle, in, frames, out, frames, &err));
  say("missing", rvc_load_models(handle, "nowhere/hubert.pt", argv[1], argv[2], &err));
  say("after", rvc_process_block(handle, in, frames, out, frames, &err));
  say("load", rvc_load_models(handle, argv[0], argv[1], *argv[2] ? argv[2] : NULL, &err));
  if (err.code) return 3;
  say("short", rvc_process_block(handle, in, frames - 1, out, frames - 1, &err));
  for (long i = 0; (i + 1) * frames <= samples; i++) {
    if (rvc_process_block(handle, in + i * frames, frames, out, frames, &err)) return say("p", 1), 4;
    fwrite(out, 4, (size_t)frames * config.channels, file);
  }
  fclose(file);
  say("set", vg_set(handle, "pitch.transpose", 3, &err)); /* an rvc handle is a session, too */
  rvc_destroy(handle);
  say("destroyed", rvc_process_block(handle, in, frames, out, frames, &err));
  printf("size: %d\n", rvc_get_required_block_size(handle));
  rvc_destroy(handle);
  rvc_destroy(NULL);
  free(in);
  free(out);
  return 0;
}

static void status_line(vg_session *session) {
  int size = vg_status(session, NULL, 0, &err);
  char *text = malloc((size_t)size + 64);
  printf("small: %d\n", vg_status(session, text, 8, &err) > 8 && *text == '\0');
  vg_status(session, text, size + 64, &err); /* numbers grow between two calls */
  printf("status: %s\n", text);
  free(text);
}

/* mistakes PIPELINE: every wrong call; PIPELINE has a live param low.db */
static int mistakes(int argc, char **argv) {
  vg_session *session = opened(argv[0], argc - 1, argv + 1), *other;
  vg_options options = VG_OPTIONS_INIT;
  vg_format format;
  double value;
  float *in, *out;
  const char *bad[] = {"nodes.low.params.db=loud"}, *broken[] = {"a\xff=1"}, *null[] = {NULL};
  const char *swap[] = {"nodes.low.params.db=-20"};
  rvc_config_t wrong = {7, 100, 5, 0, -1, 1e9f, 3, 2, 9, 99};
  vg_get_format(session, &format, &err);
  in = calloc((size_t)format.in_frames, 4);
  out = calloc((size_t)format.out_frames, 4);
  say("versions", vg_api_version() == VG_API_VERSION && rvc_api_version() == RVC_API_VERSION);
  say("late python", vg_use_python("/usr/bin/python3", &err));
  say("null handle", vg_process(NULL, in, 1, out, 1, &err));
  say("null in", vg_process(session, NULL, format.in_frames, out, format.out_frames, &err));
  say("null out", vg_process(session, in, format.in_frames, NULL, format.out_frames, &err));
  out[0] = 1;
  say("frames", vg_process(session, in, format.in_frames + 1, out, format.out_frames, &err));
  printf("silent: %d\n", out[0] == 0);
  say("negative", vg_process(session, in, -1, out, -1, &err));
  in[3] = 0.0f / 0.0f;
  say("nan", vg_process(session, in, format.in_frames, out, format.out_frames, &err));
  in[3] = 0;
  say("good", vg_process(session, in, format.in_frames, out, format.out_frames, &err));
  say("no err", vg_process(session, in, 1, out, 1, NULL));
  say("param", vg_set(session, "low.loudness", 1, &err));
  say("range", vg_set(session, "low.db", 0.0 / 0.0, &err));
  say("set", vg_set(session, "low.db", -3.5, &err));
  say("get", vg_get(session, "low.db", &value, &err));
  printf("number: %g\n", value);
  say("text", vg_set_text(session, "low.db", "-7", &err));
  vg_get(session, "low.db", &value, &err);
  printf("written: %g\n", value);
  say("get nothing", vg_get(session, "no.such", &value, &err));
  say("swap", vg_swap(session, swap, 1, &err));
  say("bad swap", vg_swap(session, bad, 1, &err));
  say("reset", vg_reset(session, &err));
  status_line(session);
  say("missing", vg_open("no-such-pipeline", NULL, 0, &err) != NULL);
  say("override", vg_open(argv[0], bad, 1, &err) != NULL);
  say("not text", vg_open(argv[0], broken, 1, &err) != NULL);
  say("null text", vg_open(argv[0], null, 1, &err) != NULL);
  say("null array", vg_open(argv[0], NULL, 2, &err) != NULL);
  say("count", vg_open(argv[0], bad, -2, &err) != NULL);
  say("null pipeline", vg_open(NULL, NULL, 0, &err) != NULL);
  options.size = 9999;
  say("size", vg_open_with(argv[0], &options, &err) != NULL);
  options.size = sizeof options;
  options.in_rate = -5;
  say("rate", vg_open_with(argv[0], &options, &err) != NULL);
  options.in_rate = 44100;
  options.out_channels = 2;
  other = vg_open_with(argv[0], &options, &err);
  vg_get_format(other, &format, &err);
  printf("adapted: %d %d %d\n", format.in_rate, format.out_rate, format.out_channels);
  say("rvc with a session", rvc_load_models(other, "a", "b", NULL, &err));
  say("config", rvc_create(&wrong, &err) != NULL);
  say("null config", rvc_create(NULL, &err) != NULL);
  say("stray", vg_close((vg_session *)in, &err));
  say("close", vg_close(session, &err));
  say("twice", vg_close(session, &err));
  say("used", vg_set(session, "low.db", 1, &err));
  say("null close", vg_close(NULL, &err));
  vg_close(other, NULL);
  free(in);
  free(out);
  return 0;
}

static long resident_kb(void) {
  long pages = 0, shared;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL) return 0;
  if (fscanf(file, "%*d %ld %ld", &pages, &shared) != 2) pages = 0;
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* again COUNT PIPELINE OVERRIDES...: opened, used and closed; resident memory after each */
static int again(int argc, char **argv) {
  for (int i = 0; i < atoi(argv[0]); i++) {
    vg_session *session = opened(argv[1], argc - 2, argv + 2);
    vg_format format;
    float *in, *out;
    vg_get_format(session, &format, &err);
    in = calloc((size_t)format.in_frames * format.in_channels, 4);
    out = calloc((size_t)format.out_frames * format.out_channels, 4);
    for (int k = 0; k < 3; k++)
      if (vg_process(session, in, format.in_frames, out, format.out_frames, &err)) return 4;
    free(in);
    free(out);
    if (vg_close(session, &err)) return 5;
    printf("kb: %ld\n", resident_kb());
  }
  return 0;
}

/* again_rvc COUNT HUBERT VOICE INDEX */
static int again_rvc(int argc, char **argv) {
  rvc_config_t config = {RVC_DEVICE_CPU, 48000, 1, .25f, .05f, .5f, 1, .5f, 0, RVC_F0_WORLD};
  (void)argc;
  for (int i = 0; i < atoi(argv[0]); i++) {
    rvc_handle_t handle = rvc_create(&config, &err);
    int frames = rvc_get_required_block_size(handle);
    float *in = calloc((size_t)frames, 4), *out = calloc((size_t)frames, 4);
    if (rvc_load_models(handle, argv[1], argv[2], argv[3], &err)) return say("load", 1), 4;
    if (rvc_process_block(handle, in, frames, out, frames, &err)) return say("p", 1), 5;
    rvc_destroy(handle);
    free(in);
    free(out);
    printf("kb: %ld\n", resident_kb());
  }
  return 0;
}

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* As the audio threads of hosts; stays an ordinary thread where that is not allowed. */
static int real_time_priority(void) {
  struct sched_param param;
  memset(&param, 0, sizeof param);
  param.sched_priority = sched_get_priority_min(SCHED_FIFO) + 10;
  return pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) == 0;
}

/* realtime SECONDS PIPELINE OVERRIDES...: a block each block's time, as a sound card would ask */
static int realtime(int argc, char **argv) {
  vg_session *session = opened(argv[1], argc - 2, argv + 2);
  vg_format format;
  double block, begun, worst = 0;
  long count, late = 0, kb = 0;
  float *in, *out, *took;
  vg_get_format(session, &format, &err);
  block = (double)format.in_frames / format.in_rate;
  count = (long)(atof(argv[0]) / block);
  in = calloc((size_t)format.in_frames * format.in_channels, 4);
  out = calloc((size_t)format.out_frames * format.out_channels, 4);
  took = malloc(4 * (size_t)count);
  memset(took, 1, 4 * (size_t)count); /* resident now, so that it does not count as growth */
  printf("priority: %d\n", real_time_priority());
  begun = seconds(CLOCK_MONOTONIC);
  for (long i = 0; i < count; i++) {
    struct timespec until;
    double due = begun + i * block, start;
    until.tv_sec = (time_t)due;
    until.tv_nsec = (long)((due - (double)until.tv_sec) * 1e9);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    for (int k = 0; k < format.in_frames * format.in_channels; k++)
      in[k] = (float)((rand() % 2000 - 1000) * 1e-4);
    start = seconds(CLOCK_MONOTONIC);
    if (vg_process(session, in, format.in_frames, out, format.out_frames, &err))
      return say("process", 1), 4;
    took[i] = (float)(seconds(CLOCK_MONOTONIC) - start);
    late += took[i] > block;
    if (took[i] > worst) worst = took[i];
    if (i == count / 10) kb = resident_kb();
  }
  qsort(took, (size_t)count, sizeof *took, ascending);
  printf("blocks: %ld\nlate: %ld\nmedian_us: %.1f\np999_us: %.1f\nworst_us: %.1f\ngrown_kb: %ld\n",
         count, late, took[count / 2] * 1e6, took[count * 999 / 1000] * 1e6, worst * 1e6,
         resident_kb() - kb);
  vg_close(session, &err);
  free(in);
  free(out);
  free(took);
  return 0;
}

/* cost BLOCKS PIPELINE OVERRIDES...: CPU time of the calling thread a block, least and median */
static int cost(int argc, char **argv) {
  vg_session *session = opened(argv[1], argc - 2, argv + 2);
  vg_format format;
  long count = atol(argv[0]);
  float *in, *out, *took = calloc((size_t)count, 4);
  vg_get_format(session, &format, &err);
  in = calloc((size_t)format.in_frames * format.in_channels, 4);
  out = calloc((size_t)format.out_frames * format.out_channels, 4);
  for (long i = 0; i < count; i++) {
    double start = seconds(CLOCK_THREAD_CPUTIME_ID);
    if (vg_process(session, in, format.in_frames, out, format.out_frames, &err)) return 4;
    took[i] = (float)(seconds(CLOCK_THREAD_CPUTIME_ID) - start);
  }
  qsort(took, (size_t)count, sizeof *took, ascending);
  printf("least_us: %.2f\nmedian_us: %.2f\n", took[0] * 1e6, took[count / 2] * 1e6);
  vg_close(session, &err);
  return 0;
}

struct closing {
  vg_session *session;
  vg_format format;
  int codes[3];
};

static void *until_closed(void *argument) {
  struct closing *job = argument;
  float *in = calloc((size_t)job->format.in_frames * job->format.in_channels, 4);
  float *out = calloc((size_t)job->format.out_frames * job->format.out_channels, 4);
  int code = 0;
  while (code == 0)
    code = vg_process(job->session, in, job->format.in_frames, out, job->format.out_frames, NULL);
  job->codes[0] = code;
  free(in);
  free(out);
  return NULL;
}

/* race PIPELINE OVERRIDES...: one thread processes while others set, ask, swap, and close */
static int race(int argc, char **argv) {
  const char *swap[] = {"nodes.low.params.db=-20"};
  for (int i = 0; i < 10; i++) {
    struct closing job = {opened(argv[0], argc - 1, argv + 1), {0}, {0}};
    pthread_t thread;
    vg_get_format(job.session, &job.format, &err);
    pthread_create(&thread, NULL, until_closed, &job);
    for (int k = 0; k < 20; k++) {
      if (vg_set(job.session, "low.db", -k, &err)) return say("set", 1), 4;
      if (vg_status(job.session, NULL, 0, &err) < 0) return say("status", 1), 5;
    }
    if (vg_swap(job.session, swap, 1, &err)) return say("swap", 1), 6;
    if (vg_close(job.session, &err)) return say("close", 1), 7;
    pthread_join(thread, NULL);
    printf("ended: %d\n", job.codes[0]);
  }
  return 0;
}

static void *start(void *argument) {
  *(int *)argument = vg_init(NULL);
  return NULL;
}

/* start [PYTHON]: the interpreter, from four threads at once; then the language of the process */
static int start_up(int argc, char **argv) {
  pthread_t threads[4];
  int codes[4];
  if (argc > 0 && vg_use_python(argv[0], &err)) return say("use", 1), 2;
  for (int k = 0; k < 4; k++) pthread_create(&threads[k], NULL, start, &codes[k]);
  for (int k = 0; k < 4; k++) pthread_join(threads[k], NULL);
  printf("codes: %d %d %d %d\n", codes[0], codes[1], codes[2], codes[3]);
  say("init", vg_init(&err));
  return 0;
}

static void *open_and_use(void *argument) {
  struct closing *job = argument;
  float *in, *out;
  vg_error error;
  job->session = vg_open((const char *)job->session, NULL, 0, &error);
  job->codes[0] = error.code;
  if (job->session == NULL || vg_get_format(job->session, &job->format, &error)) return NULL;
  in = calloc((size_t)job->format.in_frames * job->format.in_channels, 4);
  out = calloc((size_t)job->format.out_frames * job->format.out_channels, 4);
  for (int k = 0; k < 5; k++)
    job->codes[1] |= vg_process(job->session, in, job->format.in_frames, out,
                                job->format.out_frames, &error);
  job->codes[2] = vg_close(job->session, &error);
  free(in);
  free(out);
  return NULL;
}

/* together PIPELINE...: each opened, used and closed by a thread of its own, all at once */
static int together(int argc, char **argv) {
  struct closing jobs[8];
  pthread_t threads[8];
  for (int k = 0; k < argc; k++) {
    struct closing job = {(vg_session *)argv[k], {0}, {0}};
    jobs[k] = job;
    pthread_create(&threads[k], NULL, open_and_use, &jobs[k]);
  }
  for (int k = 0; k < argc; k++) pthread_join(threads[k], NULL);
  for (int k = 0; k < argc; k++)
    printf("codes: %d %d %d\n", jobs[k].codes[0], jobs[k].codes[1], jobs[k].codes[2]);
  return 0;
}

int main(int argc, char **argv) {
  static const struct { const char *name; int (*run)(int, char **); } scenarios[] = {
      {"process", process}, {"rvc", rvc}, {"mistakes", mistakes}, {"again", again},
      {"again_rvc", again_rvc}, {"realtime", realtime}, {"cost", cost}, {"race", race},
      {"start", start_up}, {"together", together}};
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; i++)
    if (!strcmp(argv[1], scenarios[i].name)) return scenarios[i].run(argc - 2, argv + 2);
  return 64;
}
