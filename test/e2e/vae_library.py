# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model called through its ABI alone (runtime/include/vae/vae_abi.h),
without the runtime."""
import ctypes as c
import os
import threading

import numpy as np

P, I32, U32, I64, F32, STR = c.c_void_p, c.c_int32, c.c_uint32, c.c_int64, c.c_float, c.c_char_p

ROLES = ("input condition noise latent mu logvar output output_logvar mean log_likelihood kl elbo layer").split()
ABI_VERSION = 1
F32_DTYPE = 1
ALIGNMENT = 64


def struct(kind, /, **fields):
    return type(kind, (c.Structure,), {"_fields_": list(fields.items())})


Symbol = struct("Symbol", name=STR, minimum=I64, multiple=I64, reserved=I64 * 2)
Dim = struct("Dim", symbol=I32, reserved=I32, scale=I64, offset=I64)
Tensor = struct("Tensor", name=STR, role=I32, dtype=I32, rank=U32, has_range=U32, dims=c.POINTER(Dim), layout=STR,
                range_min=F32, range_max=F32, scale=F32, zero_point=I32, reserved=I64 * 4)
Task = c.CFUNCTYPE(None, P, I64, I64)
ParallelFor = c.CFUNCTYPE(None, P, I64, I64, Task, P)
TakeScratch = c.CFUNCTYPE(P, P)
GiveScratch = c.CFUNCTYPE(None, P, P)
Call = struct("Call", struct_size=U32, flags=U32, inputs=c.POINTER(P), outputs=c.POINTER(P), symbols=c.POINTER(I64),
              arena=P, parallel_for=ParallelFor, parallel_ctx=P, take_scratch=TakeScratch, give_scratch=GiveScratch,
              clamped=P)
SizeFunction = c.CFUNCTYPE(I64, c.POINTER(I64))
Step = struct("Step", layer=STR, kernel=STR, predicted=I64, reserved=I64)
Entry = struct("Entry", name=STR, num_inputs=U32, num_outputs=U32, inputs=c.POINTER(Tensor),
               outputs=c.POINTER(Tensor), arena_size=SizeFunction, flops=SizeFunction,
               run=c.CFUNCTYPE(I32, c.POINTER(Call)), num_steps=U32, scratch_size=U32,
               steps=c.POINTER(Step), step_costs=c.CFUNCTYPE(None, c.POINTER(I64), c.POINTER(I64), c.POINTER(I64)),
               tiling=P)
Scaling = struct("Scaling", count=U32, reserved32=U32, scale=c.POINTER(c.c_double), shift=c.POINTER(c.c_double),
                 reserved=I64 * 2)
Model = struct("Model", abi_version=U32, struct_size=U32, name=STR, compiler_version=STR, target_triple=STR,
               cpu_features=STR, quantization=STR, likelihood=STR, prior=STR, num_symbols=U32, num_entries=U32,
               symbols=c.POINTER(Symbol), entries=c.POINTER(Entry), weights=P, weights_size=I64,
               num_parameters=I64, latent_scaling=c.POINTER(Scaling), versions=P,
               num_versions=U32, reserved32=U32, storage=STR, reserved=I64 * 4)
for kind, size in ((Symbol, 40), (Dim, 24), (Tensor, 88), (Call, 80), (Step, 32), (Entry, 88),
                   (Scaling, 40), (Model, 176)):
    assert c.sizeof(kind) == size, kind


@ParallelFor
def run_serially(context, count, grain, task, argument):
    """Two parts where that is allowed, so that parts are exercised."""
    half = count // 2
    if half >= grain:
        task(argument, 0, half)
        task(argument, half, count)
    else:
        task(argument, 0, count)


@ParallelFor
def run_in_two_threads(context, count, grain, task, argument):
    """The second part in a thread of its own, even where it is not worth it."""
    half = (count + 1) // 2
    thread = threading.Thread(target=task, args=(argument, half, count)) if half < count else None
    if thread:
        thread.start()
    task(argument, 0, half)
    if thread:
        thread.join()


class Library:
    """A model library; `run` calls an entry point with f32 arrays, whose loops
    `parallel_for` runs."""

    def __init__(self, path, parallel_for=run_serially):
        self.parallel_for = parallel_for
        self.handle = c.CDLL(os.path.abspath(path))
        query = self.handle.vae_model_query
        query.restype, query.argtypes = c.POINTER(Model), [U32]
        table = query(ABI_VERSION)
        assert table, f"{path} does not speak ABI version {ABI_VERSION}"
        self.model = table.contents
        self.entries = {entry.name.decode(): entry
                        for entry in self.model.entries[:self.model.num_entries]}

    def inputs(self, entry):
        """Names of an entry's inputs -> their roles."""
        entry = self.entries[entry]
        return {t.name.decode(): ROLES[t.role] for t in entry.inputs[:entry.num_inputs]}

    def shape(self, tensor, symbols):
        shape = []
        for dim in tensor.dims[:tensor.rank]:
            if dim.symbol < 0:
                shape.append(dim.offset)
            else:
                multiple = self.model.symbols[dim.symbol].multiple
                shape.append(dim.scale * (symbols[dim.symbol] // multiple) + dim.offset)
        return shape

    def solve(self, tensors, arrays):
        """The symbols that make the declared shapes those of the arrays."""
        symbols = [None] * self.model.num_symbols
        for tensor, array in zip(tensors, arrays):
            assert array.ndim == tensor.rank, f"{tensor.name}: rank {tensor.rank}, got {array.shape}"
            for dim, size in zip(tensor.dims[:tensor.rank], array.shape):
                if dim.symbol >= 0:
                    multiple = self.model.symbols[dim.symbol].multiple
                    symbols[dim.symbol] = (size - dim.offset) // dim.scale * multiple
        symbols = [value or self.model.symbols[i].minimum for i, value in enumerate(symbols)]
        for tensor, array in zip(tensors, arrays):
            assert list(array.shape) == self.shape(tensor, symbols), f"{tensor.name}: {array.shape}"
        return symbols

    def run(self, entry, **arrays):
        """Results by name. Takes the inputs by their names."""
        entry = self.entries[entry]
        tensors = entry.inputs[:entry.num_inputs]
        values = [np.ascontiguousarray(arrays.pop(t.name.decode()), dtype=np.float32) for t in tensors]
        assert not arrays, f"unknown inputs {list(arrays)}"
        symbols = self.solve(tensors, values)
        table = (I64 * len(symbols))(*symbols)
        results = {t.name.decode(): np.full(self.shape(t, symbols), np.nan, dtype=np.float32)
                   for t in entry.outputs[:entry.num_outputs]}
        # NaN, so that what is read before it is written shows.
        arena = np.full(entry.arena_size(table) + ALIGNMENT, 0xFF, dtype=np.uint8)

        def pointers(items):
            return (P * len(items))(*(item.ctypes.data for item in items))

        scratch = {}

        @TakeScratch
        def take_scratch(_):
            piece = np.empty(entry.scratch_size + ALIGNMENT, np.uint8)
            address = piece.ctypes.data + -piece.ctypes.data % ALIGNMENT
            scratch[address] = piece
            return address

        @GiveScratch
        def give_scratch(_, address):
            del scratch[address]

        call = Call(c.sizeof(Call), 0, pointers(values), pointers(list(results.values())), table,
                    arena.ctypes.data + -arena.ctypes.data % ALIGNMENT, self.parallel_for, None, take_scratch, give_scratch)
        status = entry.run(c.byref(call))
        assert status == 0, f"{entry.name.decode()} returned {status}"
        return results
