"""The argument and the options of ``voicegraph live``."""

from __future__ import annotations

from dataclasses import dataclass

from ._live_options import (
    ClosesOption,
    DurationOption,
    EndReportOption,
    FeedbackOption,
    HoldOption,
    HttpInfoOption,
    HttpOption,
    LimitOption,
    MicrophoneOption,
    MonitorOption,
    OpensOption,
    OscOpenOption,
    OscOption,
    PlainOption,
    RecordOption,
    SilenceOption,
    SwapLimitOption,
    TakesOption,
    TalkOption,
    TokenOption,
    VariantOption,
)
from ._options import (
    AllowWriteOption,
    ConfineOption,
    JsonOption,
    PipelineArg,
    ProfileOption,
    SetOption,
)
from ._sound_options import (
    BuffersOption,
    DelayOption,
    ExclusiveOption,
    InputChannelsOption,
    InputOption,
    InputRateOption,
    InputSelectOption,
    MarginOption,
    OutputChannelsOption,
    OutputOption,
    OutputRateOption,
    OutputSelectOption,
    RoomOption,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveArguments:
    """As they were typed; the types of the fields say what each means."""

    pipeline: PipelineArg
    input_: InputOption = None
    output: OutputOption = None
    virtual_mic: MicrophoneOption = False
    input_rate: InputRateOption = None
    output_rate: OutputRateOption = None
    input_channels: InputChannelsOption = None
    output_channels: OutputChannelsOption = None
    input_select: InputSelectOption = None
    output_select: OutputSelectOption = None
    exclusive: ExclusiveOption = False
    buffers_: BuffersOption = "low"
    margin: MarginOption = "4ms"
    room: RoomOption = "0ms"
    delay: DelayOption = None
    set_args: SetOption = None
    profiles: ProfileOption = None
    variant: VariantOption = None
    record: RecordOption = None
    takes: TakesOption = None
    allow_write: AllowWriteOption = None
    confine: ConfineOption = None
    silence: SilenceOption = "run"
    silence_opens: OpensOption = -50.0
    silence_closes: ClosesOption = -56.0
    silence_hold: HoldOption = "1s"
    swap_limit: SwapLimitOption = "60s"
    monitor: MonitorOption = False
    push_to_talk: TalkOption = False
    duration: DurationOption = None
    http: HttpOption = None
    token: TokenOption = None
    http_info: HttpInfoOption = None
    end_report: EndReportOption = None
    osc: OscOption = None
    osc_open: OscOpenOption = False
    osc_feedback: FeedbackOption = None
    control_limits: LimitOption = None
    plain: PlainOption = False
    as_json: JsonOption = False
