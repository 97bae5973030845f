"""Process group: the processes of one data-parallel training, as `torchrun` starts them."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

from monitor.errors import UsageError

# set by torchrun, with what is meant where they are not set
RANK_AND_SIZE = (("RANK", "0"), ("WORLD_SIZE", "1"))
# The others wait while one validates, however many pictures there are. torchrun itself ends them
# all when one dies.
LONGEST_WAIT = timedelta(days=7)


@dataclass(frozen=True)
class ProcessGroup:
    """This process among all of one training; alone unless `torchrun` started it.

    rank: number of this process, from 0.
    size: how many there are.
    device: what it computes on.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this is the one that validates, writes and speaks."""
        return self.rank == 0

    def parallel(self, network: nn.Module) -> nn.Module:
        """The network such that backward() averages gradients over all processes."""
        if self.size == 1:
            return network
        return nn.parallel.DistributedDataParallel(network)

    def summed(self, values: Tensor) -> Tensor:
        """The sum of `values`, float of any shape, over all processes; gradients do not follow."""
        result = values.detach().clone()
        if self.size > 1:
            distributed.all_reduce(result)
        return result

    def agree(self, wish: bool) -> bool:
        """Whether any process wishes it."""
        return bool(self.summed(torch.tensor(float(wish), device=self.device)))

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.size > 1:
            distributed.barrier()


@contextmanager
def process_group(gpu: str | None) -> Iterator[ProcessGroup]:
    """Join the other processes, if there are any, for as long as the context lasts.

    gpu: number of the GPU to use; None takes the first, or under torchrun one a process, and the
        processor where there is none.

    Raises UsageError when there is no such GPU, or when several processes would share it.
    """
    rank, size = (int(os.environ.get(name, default)) for name, default in RANK_AND_SIZE)
    sharing = int(os.environ.get("LOCAL_WORLD_SIZE", size))
    if gpu is not None and sharing > 1:
        raise UsageError(
            f"--gpu: {gpu} found for {sharing} processes, expected none: each takes a GPU of its "
            "own; CUDA_VISIBLE_DEVICES says of which"
        )
    device = chosen_device(gpu, int(os.environ.get("LOCAL_RANK", "0")))
    if size == 1:
        yield ProcessGroup(0, 1, device)
        return
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=LONGEST_WAIT)
    try:
        yield ProcessGroup(rank, size, device)
        distributed.barrier()
    finally:
        # what still holds the group would keep its threads until the interpreter ends, and abort it
        gc.collect()
        distributed.destroy_process_group()


def chosen_device(gpu: str | None, local_rank: int = 0) -> torch.device:
    """The GPU of that number, else the local_rank-th, else the processor; raises UsageError."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpu is None:
        return torch.device("cuda", local_rank % count) if count else torch.device("cpu")
    if not gpu.isdecimal() or int(gpu) >= count:
        raise UsageError(f"--gpu: {gpu} found, expected the number of one of {count} GPUs")
    return torch.device("cuda", int(gpu))
