# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model run by the C runtime (runtime/include/vae/vae_runtime.h), as
programs of users do."""
import ctypes as c

import numpy as np

from vae_library import F32_DTYPE, I64, I32, P, STR, U32, struct

SessionOptions = struct("SessionOptions", struct_size=U32, threads=U32, device=I32, flags=U32, parallel_for=P,
                        parallel_ctx=P, allocate=P, deallocate=P, allocator_ctx=P, progress=P, progress_ctx=P,
                        max_memory=c.c_uint64, reserved=c.c_uint64 * 7)
RunTensor = struct("RunTensor", data=P, dtype=I32, rank=U32, dims=c.POINTER(I64))


class Runtime:
    """libvae_runtime.so."""

    def __init__(self, path):
        self.library = c.CDLL(str(path))
        self.library.vae_session_message.restype = STR

    def check(self, status, text=lambda: ""):
        assert status == 0, f"status {status}: {text()}"


class Session:
    """A model with a session of so many threads, and of as many bytes if they are limited. To be
    closed."""

    def __init__(self, runtime, path, threads, max_memory=0):
        self.runtime, self.model, self.session = runtime, P(), P()
        message = c.create_string_buffer(1024)
        runtime.check(runtime.library.vae_model_load(str(path).encode(), c.byref(self.model), message, 1024),
                      lambda: message.value.decode())
        options = SessionOptions(struct_size=c.sizeof(SessionOptions), threads=threads, max_memory=max_memory)
        runtime.check(runtime.library.vae_session_create(self.model, c.byref(options), c.byref(self.session)))

    def close(self):
        self.runtime.library.vae_session_release(self.session)
        self.runtime.library.vae_model_release(self.model)

    def run(self, entry, symbols, inputs, shapes):
        """Results of the given shapes for `inputs` in the entry's order."""
        message = lambda: self.runtime.library.vae_session_message(self.session).decode()
        table = (I64 * len(symbols))(*symbols)
        self.runtime.check(
            self.runtime.library.vae_session_prepare(self.session, entry.encode(), table, len(symbols)), message)
        results = [np.full(shape, np.nan, dtype=np.float32) for shape in shapes]

        def tensors(arrays):
            return (RunTensor * len(arrays))(*(RunTensor(x.ctypes.data, F32_DTYPE, x.ndim, (I64 * x.ndim)(*x.shape))
                                               for x in arrays))

        inputs = [np.ascontiguousarray(x, dtype=np.float32) for x in inputs]
        self.runtime.check(
            self.runtime.library.vae_session_run(self.session, entry.encode(), None, tensors(inputs), len(inputs),
                                                 tensors(results), len(results)), message)
        return results
