// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes for a section that was linked without any.
#ifndef COMPILER_TARGET_CPU_FILLSECTION_H
#define COMPILER_TARGET_CPU_FILLSECTION_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace vae {

/// Writes a little-endian 64-bit ELF file with bytes in the NOBITS section
/// `name`: `writeBytes` writes as many as the section has. What follows the
/// section in the file moves to later offsets; no address changes. The section
/// must be the last of its segment, if there are segments. Fails, before
/// anything is written, if `elf` is not such a file.
llvm::Error
fillSection(llvm::StringRef elf, llvm::StringRef name,
            llvm::function_ref<void(llvm::raw_ostream &)> writeBytes,
            llvm::raw_ostream &out);

} // namespace vae

#endif // COMPILER_TARGET_CPU_FILLSECTION_H
