/*
 * voicegraph.h: real-time voice conversion for programs in C and in languages that call C.
 *
 * Two layers. vg_* runs any pipeline, block by block. rvc_* is a small interface for RVC voices on
 * top of it; an rvc_handle_t may be given to every vg_* function once its models are loaded.
 *
 * Rules that hold for all functions
 *
 *   Text       is UTF-8 and ends in a zero byte, on all systems. File names, too.
 *   Samples    are 32-bit floats from -1 to 1, interleaved where there are several channels.
 *              A frame is one sample of each channel. Buffers belong to the caller, are copied
 *              before the function returns, and need no alignment. `in` and `out` may overlap.
 *   Errors     int functions return 0 (VG_OK) or a code of the list below, functions that return a
 *              handle NULL, functions that return a number a negative code. `err` takes the code
 *              and a sentence, what is wrong and what to do; it may be NULL. After success its
 *              code is 0 and its message empty. The library never prints and never exits.
 *   Handles    stay valid until they are closed. One that was closed, or never was one, gives an
 *              error and does no harm. Handles are no addresses: compare and copy them only.
 *   Threads    any thread may call any function at any time. Calls of vg_process on one handle run
 *              one after another, so one thread should process, to keep blocks in order. Handles
 *              in one process share one Python interpreter; several of them run in parallel only
 *              while they compute in native code.
 *   Python     the first call starts an interpreter inside the process and takes seconds; open a
 *              handle before audio starts. It is never shut down. fork() after the first call is
 *              not supported.
 */
#ifndef VOICEGRAPH_H
#define VOICEGRAPH_H

#if defined(VOICEGRAPH_BUILD)
#  if defined(_WIN32) || defined(__CYGWIN__)
#    define VG_API __declspec(dllexport)
#  elif defined(__GNUC__)
#    define VG_API __attribute__((visibility("default")))
#  else
#    define VG_API
#  endif
#elif defined(_WIN32) || defined(__CYGWIN__)
#  define VG_API __declspec(dllimport)
#else
#  define VG_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ------------------------------------------------------------------------------- */

#define VG_MESSAGE_SIZE 512

typedef struct vg_error {
  int code;                      /* of the list below */
  char message[VG_MESSAGE_SIZE]; /* UTF-8, at most 511 bytes and a zero, never cut inside a character */
} vg_error;

/* Codes 1 to 7 are the exit codes of the command line `voicegraph`. */
enum {
  VG_OK = 0,
  VG_ERROR_OTHER = 1,       /* an error in voicegraph itself, or out of memory */
  VG_ERROR_PIPELINE = 2,    /* a pipeline, an override or the config is wrong, or a file is missing */
  VG_ERROR_INPUT = 3,       /* a model file is damaged or of another kind */
  VG_ERROR_OUTPUT = 4,      /* a file cannot be written */
  VG_ERROR_DEVICE = 5,      /* a device, such as the GPU, is missing */
  VG_ERROR_SIGNAL = 6,      /* NaN or infinity in a block, or a node failed on it */
  VG_ERROR_STATE = 7,       /* the call does not fit the session: an unknown param, a value out of range */
  VG_ERROR_ARGUMENT = 20,   /* NULL, a negative count, text that is not UTF-8 */
  VG_ERROR_HANDLE = 21,     /* the handle is closed, or was never one */
  VG_ERROR_FRAMES = 22,     /* the number of frames is not that of a block */
  VG_ERROR_NOT_LOADED = 23, /* rvc_load_models() has not been called, or failed */
  VG_ERROR_STARTUP = 24     /* the Python interpreter or voicegraph in it could not start */
};

/* ---- any pipeline ------------------------------------------------------------------------- */

#define VG_API_VERSION 1

typedef struct vg_session vg_session; /* never defined: only pointers are passed */

/* All that vg_open_with() can be told. Fill it with VG_OPTIONS_INIT, then set what you need. */
typedef struct vg_options {
  int size;                     /* sizeof(vg_options); later versions may add members at the end */
  int override_count;           /* length of `overrides` */
  const char *const *overrides; /* "path=value" as after --set: "vars.transpose=12" */
  int profile_count;            /* length of `profiles` */
  int recover;                  /* not 0: if a node fails, the output is silent until it works again,
                                   and vg_process() reports no error; vg_status() counts faults */
  const char *const *profiles;  /* names of profiles of the pipeline */
  int in_rate;                  /* sample rate of `in` in Hz; 0: that of the pipeline. Where it    */
  int in_channels;              /* differs, voicegraph resamples, and the latency includes it      */
  int out_rate;                 /* the same for `out` */
  int out_channels;
  const char *record;           /* a recording to write, for `voicegraph replay`; NULL: none */
} vg_options;

#ifdef __cplusplus
#define VG_OPTIONS_INIT { (int)sizeof(vg_options), 0, nullptr, 0, 0, nullptr, 0, 0, 0, 0, nullptr }
#else
#define VG_OPTIONS_INIT { (int)sizeof(vg_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }
#endif

/* What the blocks of a session are. */
typedef struct vg_format {
  int in_frames;    /* frames of a block, at in_rate */
  int in_rate;      /* Hz */
  int in_channels;
  int out_frames;   /* frames of a block, at out_rate */
  int out_rate;     /* Hz */
  int out_channels;
  int latency;      /* frames of `out` by which it is behind `in`, beside the block itself */
} vg_format;

/* VG_API_VERSION of the library; programs compare it with that of the header they were built with. */
VG_API int vg_api_version(void);

/* Optional, before any other call: the Python in which voicegraph is installed, such as
 * ".../venv/bin/python". Default: the environment variable VOICEGRAPH_PYTHON, else the one that
 * built this library. Its version must be that of the build (3.11, say). */
VG_API int vg_use_python(const char *executable, vg_error *err);

/* Optional: starts the interpreter and loads voicegraph now rather than in the first vg_open(). */
VG_API int vg_init(vg_error *err);

/* Opens a session of a pipeline, by name or file (.yaml), and warms it up: no block is late.
 * `overrides` are `override_count` texts "path=value"; NULL and 0 for none. */
VG_API vg_session *vg_open(const char *pipeline, const char *const *overrides, int override_count,
                           vg_error *err);
VG_API vg_session *vg_open_with(const char *pipeline, const vg_options *options, vg_error *err);

VG_API int vg_get_format(vg_session *session, vg_format *format, vg_error *err);

/* The latency in frames of `out`, as in vg_format; negative: an error code. */
VG_API int vg_get_latency(vg_session *session, vg_error *err);

/* Processes one block: exactly in_frames in, exactly out_frames out. After an error `out` is silent. */
VG_API int vg_process(vg_session *session, const float *in, int in_frames, float *out,
                      int out_frames, vg_error *err);

/* A live param, "node.param", from the next block on; vg_status() lists them. Never waits for a
 * block. vg_set_text takes values in YAML, for params that are no numbers: "file.wav", "[1, 2]". */
VG_API int vg_set(vg_session *session, const char *param, double value, vg_error *err);
VG_API int vg_set_text(vg_session *session, const char *param, const char *value, vg_error *err);
VG_API int vg_get(vg_session *session, const char *param, double *value, vg_error *err);

/* Hot swap: changes nodes, voices and all that is not live, without a gap. Loads and warms up on
 * the calling thread while another one processes; the following blocks crossfade. Block, formats
 * and latency stay. vg_status() says `swapping` until the crossfade is over; another one before
 * that is an error. */
VG_API int vg_swap(vg_session *session, const char *const *overrides, int override_count,
                   vg_error *err);

/* Forgets all audio; live params keep their values. */
VG_API int vg_reset(vg_session *session, vg_error *err);

/* The state of the session as JSON: formats, latency, blocks, compute time of each node, live
 * params, faults, messages. Returns the length of the text without the zero byte. `json` gets the
 * text if `size` is greater than that, else it gets an empty text (NULL and 0: to ask the length;
 * leave some room, since numbers grow from call to call). */
VG_API int vg_status(vg_session *session, char *json, int size, vg_error *err);

/* Waits for the block that is being processed, and closes. NULL is ignored, as by free(). */
VG_API int vg_close(vg_session *session, vg_error *err);

/* ---- RVC voices --------------------------------------------------------------------------- */

#define RVC_API_VERSION 1

typedef void *rvc_handle_t;
typedef vg_error rvc_error_t;

typedef enum { RVC_DEVICE_CPU = 0, RVC_DEVICE_CUDA = 1 } rvc_device_t;

typedef enum {
  RVC_F0_WORLD = 0,   /* WORLD's DIO */
  RVC_F0_RMVPE = 1,   /* looks for rmvpe.pt in the folder of the encoder, then of the voice */
  RVC_F0_HARVEST = 2, /* WORLD's Harvest: steadier than DIO, and costs more */
  RVC_F0_SWIFT = 3,   /* SwiftF0 */
  RVC_F0_FCPE = 4,
  RVC_F0_CREPE = 5,
  RVC_F0_PRAAT = 6
} rvc_f0_method_t;

typedef struct rvc_config_t {
  int device;            /* rvc_device_t */
  int sample_rate;       /* Hz, of input and output */
  int channels;          /* of the output: 1, or 2 with the same in both */
  float block_time_sec;  /* these three are rounded to 10 ms, as RVC does */
  float crossfade_sec;
  float extra_sec;       /* context before the block */
  int enable_index;      /* not 0: the index is used */
  float index_rate;      /* 0 to 1 */
  int protect;           /* 1: consonants are protected from the index (RVC's protect 0.33); 0: not */
  int f0_method;         /* rvc_f0_method_t */
} rvc_config_t;

/* RVC_API_VERSION of the library. */
VG_API int rvc_api_version(void);

/* Checks the config; loads nothing yet. NULL: an error. */
VG_API rvc_handle_t rvc_create(const rvc_config_t *config, rvc_error_t *err);

/* Loads content encoder (hubert), voice and index (NULL: none) and warms up. May be called again
 * for another voice; if that fails, nothing is loaded. Takes .pt, .pth, .safetensors, .onnx, and all
 * that `voicegraph export` makes; other TorchScript is refused, since it contains code. Each may
 * also be a name in the library of voices; with "" for hubert the card of the voice names it. */
VG_API int rvc_load_models(rvc_handle_t handle, const char *hubert, const char *synthesizer,
                           const char *index, rvc_error_t *err);

/* Frames of a block: what rvc_process_block() takes and gives. Known from rvc_create() on. Negative:
 * an error code. */
VG_API int rvc_get_required_block_size(rvc_handle_t handle);

/* Processes one block. in_frames and out_frames are the required block size; out_interleaved holds
 * out_frames * channels samples. */
VG_API int rvc_process_block(rvc_handle_t handle, const float *in_mono, int in_frames,
                             float *out_interleaved, int out_frames, rvc_error_t *err);

/* Closes. NULL is ignored. */
VG_API void rvc_destroy(rvc_handle_t handle);

#ifdef __cplusplus
}
#endif

#endif
