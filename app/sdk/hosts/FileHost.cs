// FileHost in C#: a WAV file through any pipeline, block by block.
//
//   mono FileHost.exe default-live in.wav out.wav
//   mono FileHost.exe default-live in.wav out.wav --profile michael nodes.pitch.params.transpose=-2
//
// mcs FileHost.cs Voicegraph.cs; the library in LD_LIBRARY_PATH (Windows: beside FileHost.exe).
// The output is moved back by the latency and is as long as the input.

using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Voicegraph;

/// <summary>A WAV file: 16, 24 and 32 bits PCM and 32 bits float in, 32 bits float out.</summary>
internal sealed class Wav
{
    internal int Rate, Channels;
    internal float[] Samples;  // interleaved

    internal static Wav Read(string path)
    {
        using (var reader = new BinaryReader(File.OpenRead(path)))
        {
            if (Tag(reader) != "RIFF" || reader.ReadUInt32() < 4 || Tag(reader) != "WAVE")
                throw new InvalidDataException(path + " is no WAV file");
            var wav = new Wav();
            int kind = 0, bits = 0;
            for (;;)
            {
                string tag = Tag(reader);
                long left = reader.BaseStream.Length - reader.BaseStream.Position - 4;
                long size = Math.Min(reader.ReadUInt32(), left);
                if (tag == "data")
                {
                    wav.Samples = Convert(reader.ReadBytes((int)size), kind, bits, path);
                    return wav;
                }
                byte[] chunk = reader.ReadBytes((int)(size + (size & 1)));
                if (tag != "fmt " || size < 16)
                    continue;
                kind = BitConverter.ToUInt16(chunk, 0);
                wav.Channels = BitConverter.ToUInt16(chunk, 2);
                wav.Rate = BitConverter.ToInt32(chunk, 4);
                bits = BitConverter.ToUInt16(chunk, 14);
                if (kind == 0xFFFE && size >= 26)  // WAVE_FORMAT_EXTENSIBLE
                    kind = BitConverter.ToUInt16(chunk, 24);
            }
        }
    }

    internal void Write(string path)
    {
        using (var writer = new BinaryWriter(File.Create(path)))
        {
            int size = 4 * Samples.Length;
            writer.Write(Encoding.ASCII.GetBytes("RIFF"));
            writer.Write(36 + size);
            writer.Write(Encoding.ASCII.GetBytes("WAVEfmt "));
            writer.Write(16);
            writer.Write((short)3);  // IEEE float
            writer.Write((short)Channels);
            writer.Write(Rate);
            writer.Write(4 * Rate * Channels);
            writer.Write((short)(4 * Channels));
            writer.Write((short)32);
            writer.Write(Encoding.ASCII.GetBytes("data"));
            writer.Write(size);
            foreach (float sample in Samples)
                writer.Write(sample);
        }
    }

    private static string Tag(BinaryReader reader)
    {
        return Encoding.ASCII.GetString(reader.ReadBytes(4));
    }

    private static float[] Convert(byte[] bytes, int kind, int bits, string path)
    {
        if (!(kind == 3 && bits == 32) && !(kind == 1 && (bits == 16 || bits == 24 || bits == 32)))
            throw new InvalidDataException(path + " is no WAV file of 16, 24 or 32 bits PCM or 32 bits float");
        int width = bits / 8;
        var samples = new float[bytes.Length / width];
        for (int i = 0; i < samples.Length; i++)
        {
            if (kind == 3)
            {
                samples[i] = BitConverter.ToSingle(bytes, 4 * i);
                continue;
            }
            int value = 0;
            for (int k = 0; k < width; k++)
                value |= bytes[i * width + k] << (8 * (k + 4 - width));
            samples[i] = value / 2147483648f;
        }
        return samples;
    }
}

internal static class FileHost
{
    private static Options OptionsFrom(string[] words, Wav input)
    {
        var overrides = new List<string>();
        var profiles = new List<string>();
        for (int i = 3; i < words.Length; i++)
        {
            if (words[i] == "--profile" && i + 1 < words.Length)
                profiles.Add(words[++i]);
            else
                overrides.Add(words[i]);
        }
        return new Options
        {
            Overrides = overrides.ToArray(),
            Profiles = profiles.ToArray(),
            InRate = input.Rate,
            InChannels = input.Channels,
        };
    }

    private static Wav Process(Session session, Wav input)
    {
        Format format = session.Format;
        long frames = input.Samples.Length / input.Channels;
        long wanted = (frames * format.OutRate + format.InRate - 1) / format.InRate;
        long blocks = (wanted + format.Latency + format.OutFrames - 1) / format.OutFrames;
        var made = new float[blocks * session.OutSize];
        var block = new float[session.InSize];
        var next = new float[session.OutSize];
        for (long i = 0; i < blocks; i++)
        {
            long begin = Math.Min(i * block.Length, input.Samples.Length);
            long count = Math.Min(block.Length, input.Samples.Length - begin);
            Array.Clear(block, 0, block.Length);  // silence after the end
            Array.Copy(input.Samples, begin, block, 0, count);
            session.Process(block, next);
            Array.Copy(next, 0, made, i * next.Length, next.Length);
        }
        var samples = new float[wanted * format.OutChannels];
        Array.Copy(made, format.Latency * format.OutChannels, samples, 0, samples.Length);
        return new Wav { Rate = format.OutRate, Channels = format.OutChannels, Samples = samples };
    }

    private static int Main(string[] words)
    {
        if (words.Length < 3)
        {
            Console.Error.WriteLine(
                "usage: FileHost PIPELINE IN.wav OUT.wav [PATH=VALUE | --profile NAME]...");
            return 2;
        }
        try
        {
            Wav input = Wav.Read(words[1]), output;
            using (var session = new Session(words[0], OptionsFrom(words, input)))
                output = Process(session, input);
            output.Write(words[2]);
            Console.WriteLine("{0}: {1} frames at {2} Hz, channels: {3}", words[2],
                              output.Samples.Length / output.Channels, output.Rate, output.Channels);
            return 0;
        }
        catch (VoicegraphException error)
        {
            Console.Error.WriteLine("FileHost: " + error.Message);
            return error.Code;
        }
        catch (Exception error) when (error is IOException || error is InvalidDataException ||
                                      error is UnauthorizedAccessException || error is DllNotFoundException)
        {
            Console.Error.WriteLine("FileHost: " + error.Message);
            return 3;
        }
    }
}
