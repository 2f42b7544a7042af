/*
 * voicegraph.c: the functions of voicegraph.h.
 *
 * They check their arguments, start the Python interpreter if none runs, and call the functions
 * vgpy_*, which cffi generates and app/sdk/c_functions.py implements. `voicegraph sdk build` writes
 * this file, the generated part and the paths of its Python into one C file.
 *
 * cffi's own embedding is not used: it ignores virtual environments, prints where it fails, and
 * hangs where a Python before 3.12 has used a capsule before.
 *
 * Expects before it: Python.h, and as macros the strings VG_PYTHON (the executable in whose
 * environment voicegraph is installed), VG_IMPORT (Python code that imports voicegraph; it leaves a
 * sentence in `failure` if that cannot be done) and VG_BIND (Python code that binds vgpy_* by means
 * of `library`, the module that cffi generates).
 */
#include "voicegraph.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#  include <windows.h>
#else
#  include <dlfcn.h>
#  include <pthread.h>
#  include <unistd.h>
#endif

/* ---- what Python implements (a handle is a number that is never used twice) ------------------ */

static int64_t vgpy_open(const char *pipeline, const vg_options *options, vg_error *err);
static int vgpy_get_format(int64_t handle, vg_format *format, vg_error *err);
static int vgpy_process(int64_t handle, const char *in, int in_frames, char *out, int out_frames,
                        vg_error *err);
static int vgpy_set(int64_t handle, const char *param, double value, vg_error *err);
static int vgpy_set_text(int64_t handle, const char *param, const char *value, vg_error *err);
static int vgpy_get(int64_t handle, const char *param, double *value, vg_error *err);
static int vgpy_swap(int64_t handle, const char *const *overrides, int count, vg_error *err);
static int vgpy_reset(int64_t handle, vg_error *err);
static int vgpy_status(int64_t handle, char *json, int size, vg_error *err);
static int vgpy_close(int64_t handle, vg_error *err);
static int64_t vgpy_rvc_create(const rvc_config_t *config, vg_error *err);
static int vgpy_rvc_load_models(int64_t handle, const char *hubert, const char *synthesizer,
                                const char *index, vg_error *err);
static int vgpy_rvc_block_size(int64_t handle, vg_error *err);
static int vgpy_rvc_process(int64_t handle, const char *in, int in_frames, char *out,
                            int out_frames, vg_error *err);

/* ---- errors --------------------------------------------------------------------------------- */

static void vg_clear(vg_error *err) {
  if (err != NULL) {
    err->code = VG_OK;
    err->message[0] = '\0';
  }
}

/* Copies a text of UTF-8 as far as it fits, without cutting inside a character. */
static int vg_fail(vg_error *err, int code, const char *text) {
  if (err != NULL) {
    size_t length = strlen(text);
    if (length > VG_MESSAGE_SIZE - 1) {
      length = VG_MESSAGE_SIZE - 1;
      while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80) length--;
    }
    err->code = code;
    memcpy(err->message, text, length);
    err->message[length] = '\0';
  }
  return code;
}

static int vg_null(vg_error *err, const char *what) {
  char text[VG_MESSAGE_SIZE];
  snprintf(text, sizeof text, "%s is NULL", what);
  return vg_fail(err, VG_ERROR_ARGUMENT, text);
}

/* ---- the interpreter ------------------------------------------------------------------------ */

#if defined(_WIN32)
static SRWLOCK vg_lock_ = SRWLOCK_INIT;
static void vg_lock(void) { AcquireSRWLockExclusive(&vg_lock_); }
static void vg_unlock(void) { ReleaseSRWLockExclusive(&vg_lock_); }
#else
static pthread_mutex_t vg_lock_ = PTHREAD_MUTEX_INITIALIZER;
static void vg_lock(void) { pthread_mutex_lock(&vg_lock_); }
static void vg_unlock(void) { pthread_mutex_unlock(&vg_lock_); }
#endif

#if defined(_MSC_VER)
static volatile LONG vg_running_ = 0;
static int vg_running(void) { return InterlockedCompareExchange(&vg_running_, 0, 0) != 0; }
static void vg_set_running(void) { InterlockedExchange(&vg_running_, 1); }
#else
static int vg_running_ = 0;
static int vg_running(void) { return __atomic_load_n(&vg_running_, __ATOMIC_ACQUIRE); }
static void vg_set_running(void) { __atomic_store_n(&vg_running_, 1, __ATOMIC_RELEASE); }
#endif

static char *vg_python = NULL;        /* given by vg_use_python */
static int vg_own_interpreter = 0;    /* whether this library started the interpreter */

#if !defined(_WIN32)
static void vg_reopen(void *address, int flags) {
  Dl_info found;
  if (dladdr(address, &found) && found.dli_fname != NULL) {
    dlopen(found.dli_fname, RTLD_NOW | RTLD_NOLOAD | flags);
  }
}
#endif

/* Extension modules of Python packages do not name libpython: they find its functions only if they
 * are visible to the whole process. They are not if this library was loaded by a plug-in host, by
 * Mono or .NET, which keep what they load to themselves. And neither may be unloaded: threads of
 * PyTorch run in it. */
static void vg_keep_loaded(void) {
#if !defined(_WIN32)
  int (*python)(void) = &Py_IsInitialized;
  int (*ours)(void) = &vg_api_version;
  void *address = NULL;
  memcpy(&address, &python, sizeof address);
  vg_reopen(address, RTLD_GLOBAL);
  memcpy(&address, &ours, sizeof address);
  vg_reopen(address, RTLD_NODELETE);
#endif
}

static int vg_python_failed(vg_error *err, PyStatus status) {
  char text[VG_MESSAGE_SIZE];
  snprintf(text, sizeof text, "the Python interpreter cannot start: %s%s%s",
           status.func ? status.func : "", status.func ? ": " : "",
           status.err_msg ? status.err_msg : "it asked to exit");
  return vg_fail(err, VG_ERROR_STARTUP, text);
}

/* Starts an interpreter that is not disturbed by the environment: no PYTHONHOME or PYTHONPATH, no
 * signal handlers, file names in UTF-8 whatever the locale is. */
static int vg_start_python(const char *executable, vg_error *err) {
  PyPreConfig before;
  PyConfig config;
  PyStatus status;
#if !defined(_WIN32)
  if (access(executable, X_OK) != 0) {
    char text[VG_MESSAGE_SIZE];
    snprintf(text, sizeof text,
             "there is no Python %.200s; name that in which voicegraph is installed by "
             "VOICEGRAPH_PYTHON or vg_use_python(), or build the library again",
             executable);
    return vg_fail(err, VG_ERROR_STARTUP, text);
  }
#endif
  PyPreConfig_InitIsolatedConfig(&before);
  before.utf8_mode = 1;
  status = Py_PreInitialize(&before);
  if (PyStatus_Exception(status)) return vg_python_failed(err, status);
  PyConfig_InitIsolatedConfig(&config);
  status = PyConfig_SetBytesString(&config, &config.program_name, executable);
  if (!PyStatus_Exception(status))
    status = PyConfig_SetBytesString(&config, &config.executable, executable);
  if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status)) return vg_python_failed(err, status);
  vg_own_interpreter = 1;
  PyEval_SaveThread(); /* whoever calls next takes the lock */
  return VG_OK;
}

/* Takes the exception that is set. */
static int vg_exception(vg_error *err) {
  PyObject *type = NULL, *value = NULL, *trace = NULL, *shown = NULL;
  const char *text = NULL;
  char message[VG_MESSAGE_SIZE];
  PyErr_Fetch(&type, &value, &trace);
  shown = value ? PyObject_Str(value) : NULL;
  text = shown ? PyUnicode_AsUTF8(shown) : NULL;
  snprintf(message, sizeof message, "voicegraph cannot be loaded in this Python: %s",
           text ? text : "no reason is known");
  PyErr_Clear();
  Py_XDECREF(shown);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(trace);
  return vg_fail(err, VG_ERROR_STARTUP, message);
}

/* Runs Python code, and takes the sentence that it leaves. */
static int vg_run(const char *code, PyObject *scope, vg_error *err) {
  PyObject *failure, *result;
  const char *text;
  result = PyRun_String(code, Py_file_input, scope, scope);
  if (result == NULL) return vg_exception(err);
  Py_DECREF(result);
  failure = PyDict_GetItemString(scope, "failure"); /* borrowed */
  if (failure == NULL || failure == Py_None) return VG_OK;
  text = PyUnicode_AsUTF8(failure);
  return text ? vg_fail(err, VG_ERROR_STARTUP, text) : vg_exception(err);
}

PyMODINIT_FUNC PyInit__voicegraph_library(void); /* generated by cffi */

/* Loads voicegraph; holds the interpreter lock. */
static int vg_boot(vg_error *err) {
  int code = VG_OK;
  PyObject *scope = PyDict_New(), *library = NULL;
  PyObject *own = vg_own_interpreter ? Py_True : Py_False;
  if (scope == NULL || PyDict_SetItemString(scope, "__builtins__", PyEval_GetBuiltins()) ||
      PyDict_SetItemString(scope, "own_interpreter", own)) {
    code = vg_exception(err);
  }
  if (code == VG_OK) code = vg_run(VG_IMPORT, scope, err);
  if (code == VG_OK) {
    library = PyInit__voicegraph_library();
    if (library == NULL || PyDict_SetItemString(scope, "library", library)) {
      code = vg_exception(err);
    }
  }
  if (code == VG_OK) code = vg_run(VG_BIND, scope, err);
  Py_XDECREF(library);
  Py_XDECREF(scope);
  return code;
}

/* Whether the interpreter that runs is of the version that this library was compiled for; it is not
 * if the library is loaded into a Python program of another one. */
static int vg_check_version(vg_error *err) {
  char wanted[32], text[VG_MESSAGE_SIZE];
  const char *runs = Py_GetVersion();
  snprintf(wanted, sizeof wanted, "%d.%d.", PY_MAJOR_VERSION, PY_MINOR_VERSION);
  if (strncmp(runs, wanted, strlen(wanted)) == 0) return VG_OK;
  snprintf(text, sizeof text, "this library was built for Python %d.%d, and Python %.16s runs",
           PY_MAJOR_VERSION, PY_MINOR_VERSION, runs);
  return vg_fail(err, VG_ERROR_STARTUP, text);
}

static int vg_start_locked(vg_error *err) {
  int code = vg_check_version(err);
  PyGILState_STATE state;
  if (code != VG_OK) return code;
  vg_keep_loaded();
  if (!Py_IsInitialized()) {
    const char *executable = vg_python ? vg_python : getenv("VOICEGRAPH_PYTHON");
    code = vg_start_python(executable && *executable ? executable : VG_PYTHON, err);
    if (code != VG_OK) return code;
  }
  state = PyGILState_Ensure();
  code = vg_boot(err);
  PyGILState_Release(state);
  if (code == VG_OK) vg_set_running();
  return code;
}

static int vg_start(vg_error *err) {
  int code = VG_OK;
  if (vg_running()) return VG_OK;
  vg_lock();
  if (!vg_running()) code = vg_start_locked(err);
  vg_unlock();
  return code;
}

static int64_t vg_number(const void *handle) { return (int64_t)(intptr_t)handle; }
static void *vg_pointer(int64_t number) { return (void *)(intptr_t)number; }

/* A handle cannot be right before the interpreter runs. */
static int vg_check_handle(const void *handle, vg_error *err) {
  vg_clear(err);
  if (handle == NULL) return vg_fail(err, VG_ERROR_HANDLE, "the handle is NULL");
  if (!vg_running()) return vg_fail(err, VG_ERROR_HANDLE, "there is no such handle: none is open");
  return VG_OK;
}

/* ---- any pipeline --------------------------------------------------------------------------- */

VG_API int vg_api_version(void) { return VG_API_VERSION; }

VG_API int vg_use_python(const char *executable, vg_error *err) {
  int code = VG_OK;
  vg_clear(err);
  if (executable == NULL) return vg_null(err, "executable");
  vg_lock();
  if (Py_IsInitialized()) {
    code = vg_fail(err, VG_ERROR_STARTUP, "Python runs already: call vg_use_python() first");
  } else {
    char *copy = (char *)malloc(strlen(executable) + 1);
    if (copy == NULL) {
      code = vg_fail(err, VG_ERROR_OTHER, "out of memory");
    } else {
      strcpy(copy, executable);
      free(vg_python);
      vg_python = copy;
    }
  }
  vg_unlock();
  return code;
}

VG_API int vg_init(vg_error *err) {
  vg_clear(err);
  return vg_start(err);
}

VG_API vg_session *vg_open_with(const char *pipeline, const vg_options *options, vg_error *err) {
  vg_options known = VG_OPTIONS_INIT;
  vg_clear(err);
  if (pipeline == NULL) {
    vg_null(err, "pipeline");
    return NULL;
  }
  if (options != NULL) {
    if (options->size < (int)sizeof(int) || options->size > (int)sizeof known) {
      char text[VG_MESSAGE_SIZE];
      snprintf(text, sizeof text,
               "options.size is %d, and this library knows options of %d bytes; "
               "fill them with VG_OPTIONS_INIT, and use a library that is as new as the header",
               options->size, (int)sizeof known);
      vg_fail(err, VG_ERROR_ARGUMENT, text);
      return NULL;
    }
    memcpy(&known, options, (size_t)options->size);
  }
  if (vg_start(err) != VG_OK) return NULL;
  return (vg_session *)vg_pointer(vgpy_open(pipeline, &known, err));
}

VG_API vg_session *vg_open(const char *pipeline, const char *const *overrides, int override_count,
                           vg_error *err) {
  vg_options options = VG_OPTIONS_INIT;
  options.overrides = overrides;
  options.override_count = override_count;
  return vg_open_with(pipeline, &options, err);
}

VG_API int vg_get_format(vg_session *session, vg_format *format, vg_error *err) {
  int code = vg_check_handle(session, err);
  if (code != VG_OK) return code;
  if (format == NULL) return vg_null(err, "format");
  return vgpy_get_format(vg_number(session), format, err);
}

VG_API int vg_get_latency(vg_session *session, vg_error *err) {
  vg_format format;
  int code = vg_get_format(session, &format, err);
  return code == VG_OK ? format.latency : -code;
}

VG_API int vg_process(vg_session *session, const float *in, int in_frames, float *out,
                      int out_frames, vg_error *err) {
  int code = vg_check_handle(session, err);
  if (code != VG_OK) return code;
  if (in == NULL) return vg_null(err, "in");
  if (out == NULL) return vg_null(err, "out");
  return vgpy_process(vg_number(session), (const char *)in, in_frames, (char *)out, out_frames,
                      err);
}

VG_API int vg_set(vg_session *session, const char *param, double value, vg_error *err) {
  int code = vg_check_handle(session, err);
  if (code != VG_OK) return code;
  if (param == NULL) return vg_null(err, "param");
  return vgpy_set(vg_number(session), param, value, err);
}

VG_API int vg_set_text(vg_session *session, const char *param, const char *value, vg_error *err) {
  int code = vg_check_handle(session, err);
  if (code != VG_OK) return code;
  if (param == NULL) return vg_null(err, "param");
  if (value == NULL) return vg_null(err, "value");
  return vgpy_set_text(vg_number(session), param, value, err);
}

VG_API int vg_get(vg_session *session, const char *param, double *value, vg_error *err) {
  int code = vg_check_handle(session, err);
  if (code != VG_OK) return code;
  if (param == NULL) return vg_null(err, "param");
  if (value == NULL) return vg_null(err, "value");
  return vgpy_get(vg_number(session), param, value, err);
}

VG_API int vg_swap(vg_session *session, const char *const *overrides, int override_count,
                   vg_error *err) {
  int code = vg_check_handle(session, err);
  if (code != VG_OK) return code;
  return vgpy_swap(vg_number(session), overrides, override_count, err);
}

VG_API int vg_reset(vg_session *session, vg_error *err) {
  int code = vg_check_handle(session, err);
  return code != VG_OK ? code : vgpy_reset(vg_number(session), err);
}

VG_API int vg_status(vg_session *session, char *json, int size, vg_error *err) {
  int code = vg_check_handle(session, err);
  if (code != VG_OK) return -code;
  if (json == NULL && size > 0) return -vg_null(err, "json");
  return vgpy_status(vg_number(session), json, size, err);
}

VG_API int vg_close(vg_session *session, vg_error *err) {
  int code;
  vg_clear(err);
  if (session == NULL) return VG_OK;
  code = vg_check_handle(session, err);
  return code != VG_OK ? code : vgpy_close(vg_number(session), err);
}

/* ---- RVC voices ----------------------------------------------------------------------------- */

VG_API int rvc_api_version(void) { return RVC_API_VERSION; }

VG_API rvc_handle_t rvc_create(const rvc_config_t *config, rvc_error_t *err) {
  vg_clear(err);
  if (config == NULL) {
    vg_null(err, "config");
    return NULL;
  }
  if (vg_start(err) != VG_OK) return NULL;
  return vg_pointer(vgpy_rvc_create(config, err));
}

VG_API int rvc_load_models(rvc_handle_t handle, const char *hubert, const char *synthesizer,
                           const char *index, rvc_error_t *err) {
  int code = vg_check_handle(handle, err);
  if (code != VG_OK) return code;
  if (hubert == NULL) return vg_null(err, "hubert");
  if (synthesizer == NULL) return vg_null(err, "synthesizer");
  return vgpy_rvc_load_models(vg_number(handle), hubert, synthesizer, index, err);
}

VG_API int rvc_get_required_block_size(rvc_handle_t handle) {
  int code = vg_check_handle(handle, NULL);
  return code != VG_OK ? -code : vgpy_rvc_block_size(vg_number(handle), NULL);
}

VG_API int rvc_process_block(rvc_handle_t handle, const float *in_mono, int in_frames,
                             float *out_interleaved, int out_frames, rvc_error_t *err) {
  int code = vg_check_handle(handle, err);
  if (code != VG_OK) return code;
  if (in_mono == NULL) return vg_null(err, "in_mono");
  if (out_interleaved == NULL) return vg_null(err, "out_interleaved");
  return vgpy_rvc_process(vg_number(handle), (const char *)in_mono, in_frames,
                          (char *)out_interleaved, out_frames, err);
}

VG_API void rvc_destroy(rvc_handle_t handle) { vg_close((vg_session *)handle, NULL); }
