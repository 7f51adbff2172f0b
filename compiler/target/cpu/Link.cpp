// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/Codegen.h"

#include "lld/Common/Driver.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

Error vae::linkLibrary(StringRef object, StringRef output) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  static bool usable = true;
  if (!usable)
    return createStringError("the linker failed before and cannot run again");
  std::string objectPath = object.str(), outputPath = output.str();
  // Without mmap a full disk is an error of write(), not a signal. The weights
  // and code need no other library: nothing is linked in.
  std::vector<const char *> args = {"ld.lld",
                                    "-shared",
                                    "--no-mmap-output-file",
                                    "-z",
                                    "noexecstack",
                                    "--hash-style=gnu",
                                    "--build-id=none",
                                    "--gc-sections",
                                    "-z",
                                    "now",
                                    "--threads=1",
                                    objectPath.c_str(),
                                    "-o",
                                    outputPath.c_str()};
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result =
      lld::lldMain(args, stream, stream, {{lld::Gnu, &lld::elf::link}});
  usable = result.canRunAgain;
  if (result.retCode == 0)
    return Error::success();
  return createStringError("linking failed: " + StringRef(messages).trim());
}
