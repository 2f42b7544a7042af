/*
 * wav.h: WAV files for the example hosts. Reads 16, 24 and 32 bits PCM and 32 bits float, writes
 * 32 bits float; samples are interleaved, as in voicegraph.h. For C and C++. It is no part of the
 * interface: a program of yours has its own way to audio.
 */
#ifndef VOICEGRAPH_HOSTS_WAV_H
#define VOICEGRAPH_HOSTS_WAV_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  int rate;
  int channels;
  long frames;
  float *samples; /* [frames * channels], interleaved; freed by wav_free */
} wav_t;

typedef struct {
  unsigned format, channels, rate, bits;
} wav_format_t;

static inline uint32_t wav_u32(const unsigned char *at)
{
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline unsigned wav_u16(const unsigned char *at)
{
  return (unsigned)at[0] | (unsigned)at[1] << 8;
}

static inline float wav_sample(const unsigned char *at, const wav_format_t *format)
{
  uint32_t bits;
  int32_t value;
  float sample;

  if (format->format == 3) {
    bits = wav_u32(at);
    memcpy(&sample, &bits, sizeof sample);
    return sample;
  }
  if (format->bits == 16)
    bits = (uint32_t)wav_u16(at) << 16;
  else if (format->bits == 24)
    bits = wav_u16(at) << 8 | (uint32_t)at[2] << 24;
  else
    bits = wav_u32(at);
  memcpy(&value, &bits, sizeof value);
  return (float)value / 2147483648.0f;
}

/* Reads the header up to the samples; returns their bytes as the header says, or -1. */
static inline long wav_find_data(FILE *file, wav_format_t *format)
{
  unsigned char head[12], chunk[8], fields[40];
  int known = 0;

  if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) || memcmp(head + 8, "WAVE", 4))
    return -1;
  while (fread(chunk, 1, 8, file) == 8) {
    uint32_t size = wav_u32(chunk + 4);
    long left = (long)size + (long)(size & 1);
    if (!memcmp(chunk, "data", 4))
      return !known ? -1 : size > 0x7FFFFFFF ? 0x7FFFFFFF : (long)size;
    if (!memcmp(chunk, "fmt ", 4) && size >= 16) {
      size_t taken = size < sizeof fields ? size : sizeof fields;
      if (fread(fields, 1, taken, file) != taken)
        return -1;
      left -= (long)taken;
      format->format = wav_u16(fields);
      format->channels = wav_u16(fields + 2);
      format->rate = wav_u32(fields + 4);
      format->bits = wav_u16(fields + 14);
      if (format->format == 0xFFFE && taken >= 26) /* WAVE_FORMAT_EXTENSIBLE */
        format->format = wav_u16(fields + 24);
      known = 1;
    }
    if (fseek(file, left, SEEK_CUR))
      return -1;
  }
  return -1;
}

static inline int wav_known(const wav_format_t *format)
{
  unsigned bits = format->bits;

  if (format->channels < 1 || format->rate < 1 || format->rate > 1000000)
    return 0;
  if (format->format == 3)
    return bits == 32;
  return format->format == 1 && (bits == 16 || bits == 24 || bits == 32);
}

static inline void wav_free(wav_t *wav)
{
  free(wav->samples);
  memset(wav, 0, sizeof *wav);
}

/* Reads a file. Returns NULL, or a sentence that says why it was not read. */
static inline const char *wav_read(const char *path, wav_t *wav)
{
  wav_format_t format = {0, 0, 0, 0};
  FILE *file = fopen(path, "rb");
  unsigned char *bytes;
  long data, size, begin, rest, i;

  memset(wav, 0, sizeof *wav);
  if (!file)
    return "it cannot be opened";
  data = wav_find_data(file, &format);
  if (data < 0 || !wav_known(&format)) {
    fclose(file);
    return "it is no WAV file of 16, 24 or 32 bits PCM or 32 bits float";
  }
  begin = ftell(file); /* the header of an unfinished file says more than there is, or 0xFFFFFFFF */
  fseek(file, 0, SEEK_END);
  rest = ftell(file) - begin;
  fseek(file, begin, SEEK_SET);
  if (data > rest)
    data = rest;
  size = (long)(format.channels * (format.bits / 8));
  bytes = (unsigned char *)malloc(data > 0 ? (size_t)data : 1);
  if (!bytes) {
    fclose(file);
    return "there is not enough memory for its samples";
  }
  wav->frames = (long)fread(bytes, 1, (size_t)data, file) / size;
  fclose(file);
  wav->rate = (int)format.rate;
  wav->channels = (int)format.channels;
  wav->samples = (float *)malloc((size_t)(wav->frames * wav->channels + 1) * sizeof(float));
  if (!wav->samples) {
    free(bytes);
    return "there is not enough memory for its samples";
  }
  for (i = 0; i < wav->frames * wav->channels; i++)
    wav->samples[i] = wav_sample(bytes + i * (long)(format.bits / 8), &format);
  free(bytes);
  return NULL;
}

/* Frames of the same time at another rate, rounded up. */
static inline long wav_frames_at(const wav_t *wav, int rate)
{
  return (long)(((long long)wav->frames * rate + wav->rate - 1) / wav->rate);
}

static inline void wav_put(unsigned char *at, uint32_t value, int bytes)
{
  while (bytes--) {
    *at++ = (unsigned char)(value & 255);
    value >>= 8;
  }
}

/* Writes a file of 32-bit floats. Returns NULL, or a sentence that says why it was not written. */
static inline const char *wav_write(const char *path, const wav_t *wav)
{
  unsigned char head[44], four[4];
  uint32_t bits, size = (uint32_t)(wav->frames * wav->channels * 4);
  FILE *file = fopen(path, "wb");
  long i;

  if (!file)
    return "it cannot be opened for writing";
  memcpy(head, "RIFF....WAVEfmt ", 16);
  wav_put(head + 4, 36 + size, 4);
  wav_put(head + 16, 16, 4);
  wav_put(head + 20, 3, 2);
  wav_put(head + 22, (uint32_t)wav->channels, 2);
  wav_put(head + 24, (uint32_t)wav->rate, 4);
  wav_put(head + 28, (uint32_t)(wav->rate * wav->channels * 4), 4);
  wav_put(head + 32, (uint32_t)wav->channels * 4, 2);
  wav_put(head + 34, 32, 2);
  memcpy(head + 36, "data", 4);
  wav_put(head + 40, size, 4);
  fwrite(head, 1, sizeof head, file);
  for (i = 0; i < wav->frames * wav->channels; i++) {
    memcpy(&bits, wav->samples + i, 4);
    wav_put(four, bits, 4);
    fwrite(four, 1, 4, file);
  }
  if (ferror(file) | fclose(file)) /* both: the file is closed in any case */
    return "it cannot be written: is the disk full?";
  return NULL;
}

#endif
