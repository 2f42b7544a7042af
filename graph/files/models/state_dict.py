"""Finds a network's state dict in a file, under whatever prefixes and wrappers it was saved.

Trainers store it bare or under a key (``weight``, ``model``, ``state_dict``, ``net_g``, ...), and
wrappers of the network prepend segments to names: ``module.`` (DistributedDataParallel),
``_orig_mod.`` (``torch.compile``), also in the middle of a name. The network is recognised by one
of its own names, so that any key will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ._archive import Archive
from ._tensor_headers import TensorHeader
from .plain_values import Plain, plain_value

_WRAPPERS = frozenset(
    {
        *("module", "_module", "_orig_mod", "_forward_module"),
        *("_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_fpw_module"),
    }
)
"""Segments that wrappers of a module add to its names."""
_AVERAGED = frozenset(
    {
        *("ema", "ema_model", "ema_weights", "ema_state_dict", "model_ema", "net_g_ema"),
        *("generator_ema", "state_dict_ema", "params_ema", "weight_ema", "shadow_params"),
        *("shadow", "averaged", "averaged_model", "swa_model", "swa"),
    }
)
"""Keys of the running mean of the weights, which is made for inference."""
_TRAINING = frozenset(
    {
        *("optimizer", "optimizers", "optimizer_states", "optim", "optim_g", "optim_d"),
        *("scheduler", "lr_scheduler", "lr_schedulers", "scaler", "n_averaged"),
        *("net_d", "mpd", "msd", "discriminator"),
    }
)
"""Keys of what a training stores beside the network."""
_LARGEST_SETTING = 64


@dataclass(frozen=True, slots=True)
class StateDict:
    """The tensors of one network in a file.

    Attributes:
        prefix: before its names in the file, without wrappers' segments; empty or ending in a dot.
        names: the network's own name of each tensor -> name in the file.
        others: prefixes of further copies of the network in the file.
    """

    prefix: str
    names: dict[str, str]
    others: tuple[str, ...] = ()

    @property
    def remark(self) -> str:
        """Which copy is used, if there are several; empty otherwise."""
        if not self.others:
            return ""
        used = self.prefix.rstrip(".") or "the top level"
        rest = ", ".join(other.rstrip(".") or "the top level" for other in self.others[:3])
        return f"it holds several copies of the network: {used} is used, not {rest}"


def without_wrappers(name: str) -> str:
    """A tensor's name without the segments that wrappers of a module add."""
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def find_state_dict(found: Iterable[str], *markers: str) -> StateDict | None:
    """The state dict of a network; None if there is none.

    Of several copies, a running mean (EMA) is preferred, then the one with the shortest prefix.

    Args:
        found: the names of all tensors of a file.
        markers: names of tensors in the network's state dict; the first one that is found decides.
    """
    plain: dict[str, str] = {}
    for name in found:
        plain.setdefault(without_wrappers(name), name)
    for marker in markers:
        prefixes = [
            name.removesuffix(marker)
            for name in plain
            if name == marker or name.endswith(f".{marker}")
        ]
        if prefixes:
            return _chosen(plain, sorted(prefixes, key=_preference))
    return None


def _preference(prefix: str) -> tuple[bool, int, str]:
    parts = prefix.split(".")
    return not _AVERAGED.intersection(parts), len(parts), prefix


def _chosen(plain: Mapping[str, str], prefixes: list[str]) -> StateDict:
    prefix, *others = prefixes
    inside = tuple(other for other in others if other.startswith(prefix))
    names = {
        name.removeprefix(prefix): own
        for name, own in plain.items()
        if name.startswith(prefix) and not (inside and name.startswith(inside))
    }
    if not prefix:
        names = {name: own for name, own in names.items() if _is_own(name)}
    return StateDict(prefix, names, tuple(others))


def _is_own(name: str) -> bool:
    """Whether a name at the top level is not that of a training's other parts."""
    first = name.partition(".")[0]
    return first not in _TRAINING and first not in _AVERAGED


def settings_around(archive: Archive, state: StateDict | None) -> dict[str, Plain]:
    """What is stored beside a state dict: the entries of all dicts around it, as plain values.

    Entries near the weights replace those of the same key further out. The text in the header of
    a safetensors file counts as the outermost dict.

    Raises:
        WeightsError: if the file cannot be read.
    """
    found: dict[str, Plain] = dict(archive.metadata)
    level, path = archive.tree, ""
    own = set(state.names.values()) if state else set[str]()
    while isinstance(level, (dict, list, tuple)):
        within = None
        for key, value in level.items() if isinstance(level, dict) else enumerate(level):
            name = f"{path}{key}"
            holds = isinstance(value, (dict, list, tuple))
            if holds and any(one.startswith(f"{name}.") for one in own):
                within = value, f"{name}."
            elif isinstance(level, (list, tuple)):
                continue
            elif key not in _TRAINING and not _is_weight(name, value, own):
                found[str(key)] = plain_value(archive, value)
        level, path = within or (None, "")
    return found


def _is_weight(name: str, value: object, own: set[str]) -> bool:
    if isinstance(value, TensorHeader):
        return name in own or value.numel > _LARGEST_SETTING
    return False
