// Voicegraph.cs: voicegraph.h for C#, by P/Invoke. For .NET, Mono and Unity; no unsafe code.
//
//   using (var session = new Voicegraph.Session("default-live"))
//       session.Process(input, output);   // float arrays of InSize and OutSize samples
//
// The library is looked for under the name "voicegraph": libvoicegraph.so, libvoicegraph.dylib or
// voicegraph.dll, beside the program or where the system looks (LD_LIBRARY_PATH, PATH); in Unity in
// Assets/Plugins. What voicegraph.h says about threads and blocks holds here, too.

using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Voicegraph
{
    /// <summary>What voicegraph.h reports as a code and a sentence.</summary>
    public sealed class VoicegraphException : Exception
    {
        /// <summary>A code of the list in voicegraph.h; 2 is a wrong pipeline, for example.</summary>
        public int Code { get; }

        internal VoicegraphException(int code, string message) : base(message)
        {
            Code = code;
        }
    }

    /// <summary>What the blocks of a session are.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Format
    {
        public int InFrames, InRate, InChannels;
        public int OutFrames, OutRate, OutChannels;

        /// <summary>Frames of the output by which it is behind the input, beside the block.</summary>
        public int Latency;
    }

    /// <summary>What a session may be opened with; 0 and null are the pipeline's own.</summary>
    public sealed class Options
    {
        public string[] Overrides = new string[0];
        public string[] Profiles = new string[0];
        public int InRate, InChannels, OutRate, OutChannels;
        public bool Recover;
        public string Record;
    }

    /// <summary>rvc_config_t of voicegraph.h, in its order.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct RvcConfig
    {
        public int Device, SampleRate, Channels;
        public float BlockSeconds, CrossfadeSeconds, ExtraSeconds;
        public int EnableIndex;
        public float IndexRate;
        public int Protect, F0Method;
    }

    /// <summary>Functions that sessions of pipelines and RVC voices have in common.</summary>
    public abstract class Handle : IDisposable
    {
        internal readonly Native.SafeSession handle;

        internal Handle(Native.SafeSession handle)
        {
            this.handle = handle;
        }

        /// <summary>Rates, channels and frames of a block, and the latency.</summary>
        public Format Format
        {
            get
            {
                Format format;
                Native.Require(Native.vg_get_format(handle, out format, Native.Error));
                return format;
            }
        }

        /// <summary>Sets a live param, "node.param", from the next block on.</summary>
        public void Set(string param, double value)
        {
            Native.Require(Native.vg_set(handle, Text.Utf8(param), value, Native.Error));
        }

        /// <summary>Sets a live param that is no number; the value is YAML.</summary>
        public void Set(string param, string value)
        {
            Native.Require(Native.vg_set_text(handle, Text.Utf8(param), Text.Utf8(value), Native.Error));
        }

        /// <summary>The value of a live param.</summary>
        public double Get(string param)
        {
            double value;
            Native.Require(Native.vg_get(handle, Text.Utf8(param), out value, Native.Error));
            return value;
        }

        /// <summary>Changes what is not live, without a gap, while another thread processes.</summary>
        public void Swap(params string[] overrides)
        {
            using (var texts = new Text.Array(overrides))
                Native.Require(Native.vg_swap(handle, texts.Pointer, overrides.Length, Native.Error));
        }

        /// <summary>Forgets all audio.</summary>
        public void Reset()
        {
            Native.Require(Native.vg_reset(handle, Native.Error));
        }

        /// <summary>The state as JSON.</summary>
        public string Status()
        {
            var json = new byte[4096];
            for (;;)  // another thread may make the text longer between two calls
            {
                int length = Native.vg_status(handle, json, json.Length, Native.Error);
                Native.Require(length < 0 ? length : 0);
                if (length < json.Length)
                    return Encoding.UTF8.GetString(json, 0, length);
                json = new byte[length + 1024];
            }
        }

        /// <summary>Closes the session.</summary>
        public void Dispose()
        {
            handle.Dispose();
        }
    }

    /// <summary>A running pipeline, by name or file.</summary>
    public sealed class Session : Handle
    {
        private readonly Format format;

        public Session(string pipeline, Options options = null)
            : base(Open(pipeline, options ?? new Options()))
        {
            format = Format;
        }

        /// <summary>Samples of a block of the input, all channels together.</summary>
        public int InSize { get { return format.InFrames * format.InChannels; } }

        /// <summary>Samples of a block of the output, all channels together.</summary>
        public int OutSize { get { return format.OutFrames * format.OutChannels; } }

        /// <summary>Processes one block of interleaved samples: InSize in, OutSize out.</summary>
        public void Process(float[] input, float[] output)
        {
            if (input.Length != InSize || output.Length != OutSize)
                throw new ArgumentException(
                    "a block is " + InSize + " samples in and " + OutSize + " out, not " +
                    input.Length + " and " + output.Length);
            Native.Require(Native.vg_process(
                handle, input, format.InFrames, output, format.OutFrames, Native.Error));
        }

        private static Native.SafeSession Open(string pipeline, Options wanted)
        {
            using (var overrides = new Text.Array(wanted.Overrides))
            using (var profiles = new Text.Array(wanted.Profiles))
            using (var record = new Text.Array(wanted.Record ?? ""))
            {
                var options = new Native.Options
                {
                    Size = Marshal.SizeOf(typeof(Native.Options)),
                    OverrideCount = wanted.Overrides.Length,
                    Overrides = overrides.Pointer,
                    ProfileCount = wanted.Profiles.Length,
                    Recover = wanted.Recover ? 1 : 0,
                    Profiles = profiles.Pointer,
                    InRate = wanted.InRate,
                    InChannels = wanted.InChannels,
                    OutRate = wanted.OutRate,
                    OutChannels = wanted.OutChannels,
                    Record = wanted.Record == null ? IntPtr.Zero : record.First,
                };
                var session = Native.vg_open_with(Text.Utf8(pipeline), ref options, Native.Error);
                Native.Require(session.IsInvalid ? 1 : 0);
                return session;
            }
        }
    }

    /// <summary>An RVC voice by the rvc_* functions.</summary>
    public sealed class RvcVoice : Handle
    {
        private readonly int channels;

        public RvcVoice(RvcConfig config) : base(Create(ref config))
        {
            channels = config.Channels;
        }

        /// <summary>Loads encoder, voice and index (null: none).</summary>
        public void Load(string hubert, string voice, string index = null)
        {
            Native.Require(Native.rvc_load_models(
                handle, Text.Utf8(hubert), Text.Utf8(voice), Text.Utf8(index), Native.Error));
        }

        /// <summary>Frames of a block.</summary>
        public int BlockSize { get { return Native.rvc_get_required_block_size(handle); } }

        /// <summary>Processes one block: BlockSize frames, mono in, all channels out.</summary>
        public void Process(float[] input, float[] output)
        {
            Native.Require(Native.rvc_process_block(
                handle, input, input.Length, output, output.Length / channels, Native.Error));
        }

        private static Native.SafeSession Create(ref RvcConfig config)
        {
            var voice = Native.rvc_create(ref config, Native.Error);
            Native.Require(voice.IsInvalid ? 1 : 0);
            return voice;
        }
    }

    /// <summary>Text as C reads it: UTF-8 with a zero at the end.</summary>
    internal static class Text
    {
        internal static byte[] Utf8(string text)
        {
            return text == null ? null : Encoding.UTF8.GetBytes(text + "\0");
        }

        /// <summary>Several texts as const char *const *.</summary>
        internal sealed class Array : IDisposable
        {
            private readonly IntPtr[] texts;
            internal IntPtr Pointer { get; }

            internal Array(params string[] words)
            {
                texts = new IntPtr[words.Length];
                Pointer = Marshal.AllocHGlobal(IntPtr.Size * Math.Max(1, words.Length));
                for (int i = 0; i < words.Length; i++)
                {
                    byte[] bytes = Utf8(words[i]);
                    texts[i] = Marshal.AllocHGlobal(bytes.Length);
                    Marshal.Copy(bytes, 0, texts[i], bytes.Length);
                    Marshal.WriteIntPtr(Pointer, i * IntPtr.Size, texts[i]);
                }
            }

            internal IntPtr First { get { return texts[0]; } }

            public void Dispose()
            {
                foreach (IntPtr text in texts)
                    Marshal.FreeHGlobal(text);
                Marshal.FreeHGlobal(Pointer);
            }
        }
    }

    /// <summary>The functions and structs of voicegraph.h, one for one.</summary>
    internal static class Native
    {
        private const string Library = "voicegraph";
        private const CallingConvention C = CallingConvention.Cdecl;

        /// <summary>Closed by the runtime, also if nobody disposes of it.</summary>
        internal class SafeSession : SafeHandle
        {
            internal SafeSession() : base(IntPtr.Zero, true) { }
            public override bool IsInvalid { get { return handle == IntPtr.Zero; } }

            protected override bool ReleaseHandle()
            {
                return vg_close(handle, IntPtr.Zero) == 0;
            }
        }

        internal sealed class SafeVoice : SafeSession
        {
            protected override bool ReleaseHandle()
            {
                rvc_destroy(handle);
                return true;
            }
        }

        [StructLayout(LayoutKind.Sequential)]
        internal struct Options
        {
            internal int Size, OverrideCount;
            internal IntPtr Overrides;
            internal int ProfileCount, Recover;
            internal IntPtr Profiles;
            internal int InRate, InChannels, OutRate, OutChannels;
            internal IntPtr Record;
        }

        [ThreadStatic] private static byte[] errorOfThread;

        /// <summary>vg_error of the calling thread: an int and 512 bytes. A block allocates nothing.</summary>
        internal static byte[] Error
        {
            get { return errorOfThread ?? (errorOfThread = new byte[sizeof(int) + 512]); }
        }

        /// <summary>Throws what the newest call of this thread has reported, if it failed.</summary>
        internal static void Require(int failed)
        {
            if (failed == 0)
                return;
            byte[] error = Error;
            int end = System.Array.IndexOf(error, (byte)0, sizeof(int));
            throw new VoicegraphException(
                BitConverter.ToInt32(error, 0),
                Encoding.UTF8.GetString(error, sizeof(int), end - sizeof(int)));
        }

        [DllImport(Library, CallingConvention = C)]
        internal static extern SafeSession vg_open_with(
            byte[] pipeline, ref Options options, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_get_format(
            SafeSession session, out Format format, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_process(SafeSession session, float[] input, int inFrames,
                                              [Out] float[] output, int outFrames, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_set(
            SafeSession session, byte[] param, double value, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_set_text(
            SafeSession session, byte[] param, byte[] value, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_get(
            SafeSession session, byte[] param, out double value, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_swap(
            SafeSession session, IntPtr overrides, int count, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_reset(SafeSession session, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_status(
            SafeSession session, [Out] byte[] json, int size, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int vg_close(IntPtr session, IntPtr error);

        [DllImport(Library, CallingConvention = C)]
        internal static extern SafeVoice rvc_create(ref RvcConfig config, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern void rvc_destroy(IntPtr voice);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int rvc_load_models(
            SafeSession voice, byte[] hubert, byte[] synthesizer,
                                                   byte[] index, byte[] error);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int rvc_get_required_block_size(SafeSession voice);
        [DllImport(Library, CallingConvention = C)]
        internal static extern int rvc_process_block(SafeSession voice, float[] input, int inFrames,
                                                     [Out] float[] output, int outFrames, byte[] error);
    }
}
