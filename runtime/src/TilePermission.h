// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tiles of AMX are larger than all other registers together, so Linux lets
// a process use them if it asks. Shared by the runtime, and by the compiler,
// which must not call a machine its own that the runtime would refuse.
#ifndef VAE_RUNTIME_TILEPERMISSION_H
#define VAE_RUNTIME_TILEPERMISSION_H

#if defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace vae::runtime {

/// Asks Linux (5.16 and newer) for the use of tiles by all threads of the
/// process, from now on. False if it has none to give, or a thread's alternate
/// signal stack is too small for them.
inline bool requestTiles() {
#if defined(__x86_64__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

} // namespace vae::runtime

#endif // VAE_RUNTIME_TILEPERMISSION_H
