"""Train: `python -m export train` or `retinanet-train`, from labelled pictures to snapshots."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from tqdm import tqdm

from monitor.contract import ResizeRule
from monitor.errors import UsageError

from .arguments.data import read_training
from .arguments.resize import read_resize
from .arguments.training import add_arguments, check_options, plain
from .engine import PRECISIONS, Engine, EpochProgress
from .freezing import freeze, frozen_norms
from .matcher import matcher, suited
from .optimisers import OPTIMISERS, make_average, make_optimiser
from .output_files import make_folders
from .process_group import ProcessGroup, process_group
from .schedule import Schedule, plateau_factor, stopped_improving
from .snapshot_folder import BEST, LAST, go_on, take
from .teacher import Teacher, read_teacher
from .training import Training, encoded_pictures
from .training_log import TrainingLog
from .validation import ap50s, best_epoch, check_validation, mean_loss, validated
from .views.training_views import check_scenes, first_pictures, training_views
from .weights.initial import initial_network

__all__ = ["add_arguments", "run"]


def run(options: argparse.Namespace) -> int:
    """Carry out `train`; returns the exit code."""
    check_options(options)
    torch.manual_seed(options.seed)
    with process_group(options.gpu) as group:
        Run(options, group).fit()
    return 0


@dataclass
class Run:
    """One training from its options to its last snapshot.

    options: checked, as `add_arguments` declares them.
    group: the processes that train together.
    """

    options: argparse.Namespace
    group: ProcessGroup

    def __post_init__(self) -> None:
        options = self.options
        self.resize = read_resize(options) or ResizeRule(None, None)
        data_set, validation = read_training(options)
        self.validation = None
        if validation is not None and options.evaluation:
            self.validation = validation.readable(options.damaged)
        check_validation(options, self.validation)
        check_scenes(options, data_set.classes)
        start = initial_network(options, data_set.classes)
        network = start.network.to(self.group.device, memory_format=torch.channels_last)
        self.views = training_views(options, data_set, self.resize, augment=True)
        start.adapt(partial(first_pictures, options, self.views, self.group.device))
        frozen = freeze(
            network, start.loaded, whole=options.freeze_backbone, stem=options.freeze_stem
        )
        self.still = frozen_norms(network, frozen, all_norms=options.batch_norm == "frozen")
        precision = PRECISIONS[options.precision]
        self.training = Training(
            network,
            make_average(network, options.average_decay),
            make_optimiser(options.optimizer, network, options.weight_decay),
            torch.amp.GradScaler(self.group.device.type, enabled=precision is torch.float16),
            self.resize,
            plain(options) | {"matcher": options.matcher or suited(network.anchors.per_position)},
            start.loaded,
            epoch=options.initial_epoch or 0,
        )
        self._resume()
        self.whole_views = None
        if self.validation is not None and options.compute_val_loss and self.group.leads:
            self.whole_views = training_views(options, self.validation, self.resize, augment=False)
        sound = self.validation.samples if self.validation else self.views.pictures.samples
        self.training.pictures = encoded_pictures(sound)
        check_processes(min(options.batch_size, len(self.views)), self.group.size)
        teacher = self._teacher()
        # in every process, so that all end alike where it cannot be done
        make_folders(options.snapshot_path if options.snapshots else None, options.tensorboard_dir)
        self.engine = Engine(
            network,
            self.training.average,
            self.training.optimiser,
            self.training.scaler,
            precision,
            options.optimizer_clipnorm,
            self.group,
            teacher,
            matcher(options.matcher, network.anchors.per_position),
        )
        self.log = TrainingLog(
            options.snapshot_path if options.snapshots and self.group.leads else None,
            options.tensorboard_dir if self.group.leads else None,
        )

    def _teacher(self) -> Teacher | None:
        options = self.options
        if options.teacher is None:
            return None
        return read_teacher(
            options.teacher, options.teacher_share, self.training.network, self.group.device
        )

    def _resume(self) -> None:
        options = self.options
        if options.snapshot is None:
            return
        self.training.restore(options.snapshot)
        epoch = self.training.epoch
        if options.initial_epoch not in (None, epoch):
            raise UsageError(
                f"--initial-epoch: {options.initial_epoch} found, expected none: the snapshot says "
                f"{epoch}"
            )
        done = f"{self.training.progress.steps} steps of epoch {epoch + 1}"
        print(f"{options.snapshot}: going on after {done}", file=sys.stderr)

    def fit(self) -> None:
        """Train the epochs that are left, with a snapshot and a line of JSON after each."""
        training, options = self.training, self.options
        self._save_clock = SaveClock(options.snapshot_seconds)
        if training.epoch >= options.epochs:
            print(f"nothing to train: {training.epoch} epochs are done", file=sys.stderr)
        elif options.snapshots:
            # any of them may be what some process starts with
            self.group.wait()
            if self.group.leads and options.snapshot is None:
                take(options.snapshot_path)
            elif self.group.leads:
                go_on(options.snapshot_path, options.snapshot, training.history)
        while training.epoch < options.epochs:
            # before an epoch, so that a training that has ended early does not go on when resumed
            if self.group.agree(stopped_improving(ap50s(training.history), options.early_stop)):
                print("AP50 has stopped rising: training ends early", file=sys.stderr)
                break
            entry: dict[str, Any] = {"epoch": training.epoch + 1, **self._train_epoch()}
            if self._validates():
                entry |= self._validate()
            training.history.append(entry)
            training.epoch += 1
            training.progress = EpochProgress()
            # last.pt comes last: whatever a kill leaves undone before it is done again from there
            if best_epoch(training.history) == training.epoch:
                self._save(BEST)
            if self.group.leads:
                self.log.write(training.history)
            self._save(LAST)
            self.group.wait()

    def _train_epoch(self) -> dict[str, Any]:
        training, options = self.training, self.options
        epoch, done = training.epoch, training.progress.steps
        order = self.views.order(epoch, options.batch_size, options.steps)
        rate = self._rate(epoch, len(order))
        share = [batch[self.group.rank :: self.group.size] for batch in order[done:]]
        training.network.train()
        for module in self.still:
            module.eval()
        with tqdm(
            total=len(order),
            initial=done,
            desc=f"epoch {epoch + 1}/{options.epochs}",
            unit="step",
            disable=not self.group.leads,
        ) as bar:
            batches = self.views.batches(epoch, share, options.workers)
            speed = self.engine.train(
                batches, rate, training.progress, self._save_now_and_then, bar
            )
        return {**training.progress.means(), "lr": rate(len(order) - 1), "speed": speed}

    def _rate(self, epoch: int, steps: int) -> Any:
        options = self.options
        peak = options.lr or OPTIMISERS[options.optimizer][1]
        schedule = Schedule(
            peak, options.warmup_steps, options.epochs * steps, options.schedule == "cosine"
        )
        losses = [entry["class_loss"] + entry["box_loss"] for entry in self.training.history]
        factor = plateau_factor(losses, options.reduce_lr_patience, options.reduce_lr_factor)
        return lambda step: factor * schedule.rate(epoch * steps + step)

    def _validates(self) -> bool:
        number = self.training.epoch + 1
        due = number % self.options.validate_every == 0 or number == self.options.epochs
        return self.validation is not None and due and self.group.leads

    def _validate(self) -> dict[str, Any]:
        assert self.validation is not None
        training, options = self.training, self.options
        network = training.average.module
        entry = validated(network, self.resize, self.validation)
        if self.whole_views is not None:
            entry["val_loss"] = mean_loss(
                network, self.whole_views, options.workers, self.group.device, self.engine.matcher
            )
        return entry

    def _save_now_and_then(self) -> None:
        if self._save_clock.due():
            self._save(LAST)

    def _save(self, name: str) -> None:
        if self.options.snapshots and self.group.leads:
            self.training.save(self.options.snapshot_path / name)


class SaveClock:
    """Says when a snapshot inside an epoch is due; what is learnt does not depend on it.

    period_seconds: least time between two.
    """

    def __init__(self, period_seconds: float) -> None:
        self._period_seconds = period_seconds
        self._saved = time.monotonic()

    def due(self) -> bool:
        """Whether the last snapshot is long enough ago; asked after every step."""
        if time.monotonic() - self._saved < self._period_seconds:
            return False
        self._saved = time.monotonic()
        return True


def check_processes(batch_size: int, processes: int) -> None:
    """Raise UsageError when some process would have no picture of a batch."""
    if batch_size < processes:
        raise UsageError(
            f"--batch-size: batches of {batch_size} found for {processes} processes, expected at "
            "least a picture for each; the size is that of all processes together"
        )
