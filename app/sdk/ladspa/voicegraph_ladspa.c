/*
 * voicegraph_ladspa: pipelines as LADSPA plug-ins.
 *
 * `voicegraph sdk build DIR --ladspa PIPELINE` writes pipelines.h, which names one plug-in for each
 * pipeline with its live params as control ports, and compiles this file. By hand:
 *
 *   cc -shared -fPIC voicegraph_ladspa.c -I../include -L../lib -lvoicegraph -lpthread \
 *      -Wl,-rpath,'$ORIGIN/../lib' -o voicegraph.so
 *
 * A host calls run() with any number of frames, a pipeline takes blocks. So audio is gathered into
 * blocks, and a thread of the plug-in processes a block while the next one is gathered: run() copies
 * samples and never waits for a pipeline that is fast enough. If a block is not ready when its turn
 * comes, run() waits for it, so that a host that renders faster than real time gets the same output
 * as one that plays. The control port "ahead" at 0 computes inside run() instead, which saves a
 * block of latency and is right for hosts whose buffers are longer than a block. Both are part of
 * what the port "latency" reports.
 */
#include "voicegraph.h"

#include <ladspa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const char *param; /* "node.param" */
  const char *name;  /* of the port */
  LADSPA_PortRangeHintDescriptor hint;
  float low, high;
  float offset; /* added to the port's value */
} param_t;

typedef struct {
  unsigned long id;
  const char *label, *name, *maker, *copyright;
  const char *pipeline;
  const char *const *overrides; /* "path=value" */
  int override_count;
  int in_channels, out_channels;
  const param_t *params;
  int param_count;
} plugin_t;

#include "pipelines.h" /* static const plugin_t PLUGINS[] */

#define PLUGIN_COUNT (sizeof PLUGINS / sizeof *PLUGINS)

/* Ports in their order: audio in, audio out, params, ahead, latency. */
#define AHEAD_PORT(plugin) ((plugin)->in_channels + (plugin)->out_channels + (plugin)->param_count)
#define PORT_COUNT(plugin) (AHEAD_PORT(plugin) + 2)

typedef struct {
  float *in, *out; /* a block, interleaved */
  float *values;   /* of the params, as the host had set them when the block was complete */
} block_t;

typedef struct {
  const plugin_t *plugin;
  vg_session *session;
  vg_format format;
  LADSPA_Data **ports;
  block_t blocks[2]; /* one is filled and played by run(), the other one is processed */
  int filling;       /* which of them run() uses */
  int filled;        /* frames of it that run() has passed */
  int ahead;
  float *applied;    /* values of the params that the session has */
  char last_error[VG_MESSAGE_SIZE];

  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int has_thread;
  int work; /* the thread has a block to process; under `lock`, like `ending` */
  int ending;
} instance_t;

static void say(instance_t *self, const vg_error *err)
{
  if (!strcmp(self->last_error, err->message))
    return; /* a fault repeats at every block, and is reported once */
  memcpy(self->last_error, err->message, sizeof self->last_error);
  fprintf(stderr, "voicegraph: %s: %s\n", self->plugin->label, err->message);
}

/* ---- processing --------------------------------------------------------------------------- */

static void process(instance_t *self, block_t *block)
{
  vg_error err;
  int i;

  for (i = 0; i < self->plugin->param_count; i++) {
    if (block->values[i] == self->applied[i])
      continue;
    self->applied[i] = block->values[i];
    if (vg_set(self->session, self->plugin->params[i].param, block->values[i], &err))
      say(self, &err);
  }
  if (vg_process(self->session, block->in, self->format.in_frames, block->out,
                 self->format.out_frames, &err))
    say(self, &err); /* the block is silent */
}

static void *work(void *argument)
{
  instance_t *self = (instance_t *)argument;

  pthread_mutex_lock(&self->lock);
  for (;;) {
    while (!self->work && !self->ending)
      pthread_cond_wait(&self->changed, &self->lock);
    if (self->ending)
      break;
    pthread_mutex_unlock(&self->lock);
    process(self, &self->blocks[!self->filling]); /* run() leaves it alone until work is 0 */
    pthread_mutex_lock(&self->lock);
    self->work = 0;
    pthread_cond_broadcast(&self->changed);
  }
  pthread_mutex_unlock(&self->lock);
  return NULL;
}

static void wait_for_thread(instance_t *self)
{
  pthread_mutex_lock(&self->lock);
  while (self->work)
    pthread_cond_wait(&self->changed, &self->lock);
  pthread_mutex_unlock(&self->lock);
}

/* Hands the filled block over, and takes the one that is processed. */
static void exchange_blocks(instance_t *self)
{
  pthread_mutex_lock(&self->lock);
  while (self->work)
    pthread_cond_wait(&self->changed, &self->lock);
  self->filling = !self->filling;
  self->work = 1;
  pthread_cond_broadcast(&self->changed);
  pthread_mutex_unlock(&self->lock);
}

static void block_is_full(instance_t *self)
{
  block_t *block = &self->blocks[self->filling];
  LADSPA_Data **controls = self->ports + self->plugin->in_channels + self->plugin->out_channels;
  int i;

  for (i = 0; i < self->plugin->param_count; i++)
    if (controls[i])
      block->values[i] = *controls[i] + self->plugin->params[i].offset;
  self->filled = 0;
  if (self->ahead)
    exchange_blocks(self);
  else
    process(self, block);
}

static unsigned long latency_of(const instance_t *self)
{
  return (unsigned long)(self->format.latency + self->format.out_frames * (self->ahead ? 2 : 1));
}

static void report_latency(const instance_t *self)
{
  LADSPA_Data *port = self->ports[AHEAD_PORT(self->plugin) + 1];

  if (port)
    *port = (LADSPA_Data)latency_of(self);
}

static void run(LADSPA_Handle instance, unsigned long count)
{
  instance_t *self = (instance_t *)instance;
  LADSPA_Data **audio_out = self->ports + self->plugin->in_channels;
  unsigned long done = 0, i;
  int channel;

  while (done < count) {
    block_t *block = &self->blocks[self->filling];
    unsigned long room = (unsigned long)(self->format.in_frames - self->filled);
    unsigned long part = count - done < room ? count - done : room;
    float *in = block->in + (size_t)self->filled * self->format.in_channels;
    const float *out = block->out + (size_t)self->filled * self->format.out_channels;
    /* All input is read before output is written: a host may use one buffer for both. */
    for (channel = 0; channel < self->format.in_channels; channel++)
      for (i = 0; i < part; i++)
        in[i * self->format.in_channels + channel] = self->ports[channel][done + i];
    for (channel = 0; channel < self->format.out_channels; channel++)
      for (i = 0; i < part; i++)
        audio_out[channel][done + i] = out[i * self->format.out_channels + channel];
    done += part;
    self->filled += (int)part;
    if (self->filled == self->format.in_frames)
      block_is_full(self);
  }
  report_latency(self);
}

/* ---- life --------------------------------------------------------------------------------- */

static void activate(LADSPA_Handle instance)
{
  instance_t *self = (instance_t *)instance;
  LADSPA_Data *ahead = self->ports[AHEAD_PORT(self->plugin)];
  vg_error err;
  int i;

  wait_for_thread(self);
  self->ahead = !ahead || *ahead > 0;
  self->filled = 0;
  for (i = 0; i < 2; i++)
    memset(self->blocks[i].out, 0,
           (size_t)self->format.out_frames * self->format.out_channels * sizeof(float));
  if (vg_reset(self->session, &err))
    say(self, &err);
  report_latency(self);
}

static void connect_port(LADSPA_Handle instance, unsigned long port, LADSPA_Data *at)
{
  ((instance_t *)instance)->ports[port] = at;
}

static void cleanup(LADSPA_Handle instance)
{
  instance_t *self = (instance_t *)instance;
  int i;

  if (self->has_thread) {
    wait_for_thread(self);
    pthread_mutex_lock(&self->lock);
    self->ending = 1;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    pthread_join(self->thread, NULL);
  }
  vg_close(self->session, NULL);
  for (i = 0; i < 2; i++) {
    free(self->blocks[i].in);
    free(self->blocks[i].out);
    free(self->blocks[i].values);
  }
  pthread_cond_destroy(&self->changed);
  pthread_mutex_destroy(&self->lock);
  free(self->ports);
  free(self->applied);
  free(self);
}

/* Memory and the thread; 0 if there is not enough. */
static int prepare(instance_t *self)
{
  size_t in_size = (size_t)self->format.in_frames * self->format.in_channels;
  size_t out_size = (size_t)self->format.out_frames * self->format.out_channels;
  size_t params = (size_t)self->plugin->param_count + 1;
  int i;

  self->applied = (float *)calloc(params, sizeof(float));
  if (!self->applied)
    return 0;
  for (i = 0; i < self->plugin->param_count; i++) {
    double value = 0;
    vg_get(self->session, self->plugin->params[i].param, &value, NULL);
    self->applied[i] = (float)value;
  }
  for (i = 0; i < 2; i++) {
    block_t *block = &self->blocks[i];
    block->in = (float *)calloc(in_size, sizeof(float));
    block->out = (float *)calloc(out_size, sizeof(float));
    block->values = (float *)calloc(params, sizeof(float));
    if (!block->in || !block->out || !block->values)
      return 0;
    memcpy(block->values, self->applied, params * sizeof(float));
  }
  self->has_thread = !pthread_create(&self->thread, NULL, work, self);
  return self->has_thread;
}

static LADSPA_Handle instantiate(const LADSPA_Descriptor *descriptor, unsigned long rate)
{
  const plugin_t *plugin = (const plugin_t *)descriptor->ImplementationData;
  instance_t *self = (instance_t *)calloc(1, sizeof *self);
  vg_options options = VG_OPTIONS_INIT;
  vg_error err = {0, ""};

  if (!self)
    return NULL;
  self->plugin = plugin;
  pthread_mutex_init(&self->lock, NULL);
  pthread_cond_init(&self->changed, NULL);
  self->ports = (LADSPA_Data **)calloc((size_t)PORT_COUNT(plugin), sizeof *self->ports);
  options.overrides = plugin->overrides;
  options.override_count = plugin->override_count;
  options.recover = 1;
  options.in_rate = options.out_rate = (int)rate;
  options.in_channels = plugin->in_channels;
  options.out_channels = plugin->out_channels;
  self->session = vg_open_with(plugin->pipeline, &options, &err);
  if (self->ports && self->session && !vg_get_format(self->session, &self->format, &err) &&
      prepare(self))
    return self;
  if (!err.code)
    strcpy(err.message, "out of memory, or no thread could be started");
  say(self, &err);
  cleanup(self);
  return NULL;
}

/* ---- descriptors -------------------------------------------------------------------------- */

static LADSPA_Descriptor *descriptors[PLUGIN_COUNT];
static pthread_mutex_t descriptors_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const IN_NAMES[] = {"in", "in 2", "in 3", "in 4", "in 5", "in 6", "in 7", "in 8"};
static const char *const OUT_NAMES[] = {"out",   "out 2", "out 3", "out 4",
                                        "out 5", "out 6", "out 7", "out 8"};

static void describe_ports(const plugin_t *plugin, LADSPA_PortDescriptor *kinds, const char **names,
                           LADSPA_PortRangeHint *hints)
{
  int i, port = 0;

  for (i = 0; i < plugin->in_channels; i++, port++) {
    kinds[port] = LADSPA_PORT_INPUT | LADSPA_PORT_AUDIO;
    names[port] = IN_NAMES[i];
  }
  for (i = 0; i < plugin->out_channels; i++, port++) {
    kinds[port] = LADSPA_PORT_OUTPUT | LADSPA_PORT_AUDIO;
    names[port] = OUT_NAMES[i];
  }
  for (i = 0; i < plugin->param_count; i++, port++) {
    kinds[port] = LADSPA_PORT_INPUT | LADSPA_PORT_CONTROL;
    names[port] = plugin->params[i].name;
    hints[port].HintDescriptor = plugin->params[i].hint;
    hints[port].LowerBound = plugin->params[i].low;
    hints[port].UpperBound = plugin->params[i].high;
  }
  kinds[port] = LADSPA_PORT_INPUT | LADSPA_PORT_CONTROL;
  names[port] = "ahead";
  hints[port++].HintDescriptor = LADSPA_HINT_TOGGLED | LADSPA_HINT_DEFAULT_1;
  kinds[port] = LADSPA_PORT_OUTPUT | LADSPA_PORT_CONTROL;
  names[port] = "latency"; /* hosts know this name */
}

static LADSPA_Descriptor *describe(const plugin_t *plugin)
{
  size_t count = (size_t)PORT_COUNT(plugin);
  LADSPA_Descriptor *made = (LADSPA_Descriptor *)calloc(1, sizeof *made);
  LADSPA_PortDescriptor *kinds = (LADSPA_PortDescriptor *)calloc(count, sizeof *kinds);
  const char **names = (const char **)calloc(count, sizeof *names);
  LADSPA_PortRangeHint *hints = (LADSPA_PortRangeHint *)calloc(count, sizeof *hints);

  if (!made || !kinds || !names || !hints) {
    free(made);
    free(kinds);
    free(names);
    free(hints);
    return NULL;
  }
  describe_ports(plugin, kinds, names, hints);
  made->UniqueID = plugin->id;
  made->Label = plugin->label;
  made->Name = plugin->name;
  made->Maker = plugin->maker;
  made->Copyright = plugin->copyright;
  made->PortCount = count;
  made->PortDescriptors = kinds;
  made->PortNames = names;
  made->PortRangeHints = hints;
  made->ImplementationData = (void *)plugin;
  made->instantiate = instantiate;
  made->connect_port = connect_port;
  made->activate = activate;
  made->run = run;
  made->cleanup = cleanup;
  return made;
}

static void forget(LADSPA_Descriptor *made)
{
  if (!made)
    return;
  free((void *)made->PortDescriptors);
  free((void *)made->PortNames);
  free((void *)made->PortRangeHints);
  free(made);
}

#ifdef __GNUC__
/* A host unloads the plug-in. */
__attribute__((destructor)) static void forget_descriptors(void)
{
  size_t i;

  for (i = 0; i < PLUGIN_COUNT; i++)
    forget(descriptors[i]);
}
#endif

/* Asked by hosts while they scan; starts no Python. */
const LADSPA_Descriptor *ladspa_descriptor(unsigned long index)
{
  LADSPA_Descriptor *found;

  if (index >= PLUGIN_COUNT)
    return NULL;
  pthread_mutex_lock(&descriptors_lock);
  if (!descriptors[index])
    descriptors[index] = describe(&PLUGINS[index]);
  found = descriptors[index];
  pthread_mutex_unlock(&descriptors_lock);
  return found;
}
