/* Loads a LADSPA plug-in as hosts do, and passes raw float32 through it.
 *
 *   ladspa_host PLUGIN.so LABEL RATE IN OUT SIZES [PORT=VALUE]...
 *
 * SIZES are frames of the calls, such as "1,7,4096", again and again. After a "/" all is repeated
 * with other sizes, after activate(), and the output must be the same. One buffer is input and
 * output. IN has one channel; a second one gets the same, negated. OUT has the channels one after
 * another. Ports that are not named have their default.
 */
#include <dlfcn.h>
#include <ladspa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 64

static const LADSPA_Descriptor *plugin;
static LADSPA_Handle handle;
static float controls[MOST];
static float *in, *out[2];
static long total;
static int channels = 1;

static float default_of(const LADSPA_PortRangeHint *hint)
{
  LADSPA_PortRangeHintDescriptor kind = hint->HintDescriptor;
  float low = hint->LowerBound, high = hint->UpperBound;

  if (LADSPA_IS_HINT_DEFAULT_0(kind)) return 0;
  if (LADSPA_IS_HINT_DEFAULT_1(kind)) return 1;
  if (LADSPA_IS_HINT_DEFAULT_100(kind)) return 100;
  if (LADSPA_IS_HINT_DEFAULT_440(kind)) return 440;
  if (LADSPA_IS_HINT_DEFAULT_LOW(kind)) return low * 0.75f + high * 0.25f;
  if (LADSPA_IS_HINT_DEFAULT_MIDDLE(kind)) return (low + high) / 2;
  if (LADSPA_IS_HINT_DEFAULT_HIGH(kind)) return low * 0.25f + high * 0.75f;
  return LADSPA_IS_HINT_DEFAULT_MAXIMUM(kind) ? high : low;
}

static void connect_controls(int count, char **words)
{
  unsigned long port;
  int i;

  for (port = 0; port < plugin->PortCount; port++) {
    if (!LADSPA_IS_PORT_CONTROL(plugin->PortDescriptors[port])) continue;
    controls[port] = default_of(&plugin->PortRangeHints[port]);
    for (i = 0; i < count; i++) {
      size_t length = strcspn(words[i], "=");
      if (length == strlen(plugin->PortNames[port]) &&
          !strncmp(words[i], plugin->PortNames[port], length))
        controls[port] = (float)atof(words[i] + length + 1);
    }
    plugin->connect_port(handle, port, &controls[port]);
  }
}

static void read_input(const char *path)
{
  FILE *file = fopen(path, "rb");

  fseek(file, 0, SEEK_END);
  total = ftell(file) / 4;
  rewind(file);
  in = malloc((size_t)total * 4);
  out[0] = malloc((size_t)total * 4);
  out[1] = malloc((size_t)total * 4);
  if (fread(in, 4, (size_t)total, file) != (size_t)total) exit(9);
  fclose(file);
}

static void run_all(const char *sizes)
{
  const char *next = sizes, *end = sizes + strcspn(sizes, "/");
  long done = 0, i, frames;

  for (i = 0; i < total; i++) {
    out[0][i] = in[i];
    out[1][i] = -in[i];
  }
  plugin->activate(handle);
  while (done < total) {
    unsigned long port;
    frames = strtol(next, (char **)&next, 10);
    next = next < end ? next + 1 : sizes;
    if (frames > total - done) frames = total - done;
    for (port = 0; port < plugin->PortCount; port++) {
      int second = strstr(plugin->PortNames[port], " 2") != NULL;
      if (!LADSPA_IS_PORT_AUDIO(plugin->PortDescriptors[port])) continue;
      plugin->connect_port(handle, port, out[second] + done);
      if (second) channels = 2;
    }
    plugin->run(handle, (unsigned long)frames);
    done += frames;
  }
}

int main(int count, char **words)
{
  void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  LADSPA_Descriptor_Function describe;
  unsigned long i;
  const char *sizes;
  float *first;
  FILE *file;

  if (!library) return puts(dlerror()), 1;
  *(void **)&describe = dlsym(library, "ladspa_descriptor");
  for (i = 0; (plugin = describe(i)) != NULL && strcmp(plugin->Label, words[2]); i++) {}
  if (!plugin) return puts("no such plug-in"), 1;
  handle = plugin->instantiate(plugin, strtoul(words[3], NULL, 10));
  if (!handle) return puts("not instantiated"), 3;
  read_input(words[4]);
  connect_controls(count - 7, words + 7);
  run_all(words[6]);
  first = malloc((size_t)total * 8);
  memcpy(first, out[0], (size_t)total * 4);
  memcpy(first + total, out[1], (size_t)total * 4);
  for (sizes = strchr(words[6], '/'); sizes; sizes = strchr(sizes + 1, '/')) {
    run_all(sizes + 1);
    if (memcmp(first, out[0], (size_t)total * 4) || memcmp(first + total, out[1], (size_t)total * 4))
      return printf("the output differs with calls of %s\n", sizes + 1), 4;
  }
  file = fopen(words[5], "wb");
  fwrite(first, 4, (size_t)(total * channels), file);
  fclose(file);
  for (i = 0; strcmp(plugin->PortNames[i], "latency"); i++) {}
  printf("latency %.0f\n", controls[i]);
  plugin->cleanup(handle);
  dlclose(library);
  return 0;
}
