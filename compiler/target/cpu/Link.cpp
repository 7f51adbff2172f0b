// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/target/cpu/Codegen.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/raw_ostream.h"

#include <mutex>

LLD_HAS_DRIVER(elf)

using namespace llvm;

/// lld leaves a failure that it cannot handle with exit(), unless a recovery
/// context is there to come back to.
static lld::Result runLinker(ArrayRef<const char *> args,
                             raw_ostream &messages) {
  bool enabled = CrashRecoveryContext::GetCurrent() != nullptr;
  if (!enabled)
    CrashRecoveryContext::Enable();
  scope_exit disable([&] {
    if (!enabled)
      CrashRecoveryContext::Disable();
  });
  return lld::lldMain(args, messages, messages, {{lld::Gnu, &lld::elf::link}});
}

Error vae::linkObjects(ArrayRef<std::string> objects, StringRef output,
                       LinkKind kind) {
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  static bool usable = true;
  if (!usable)
    return createStringError("the linker failed before and cannot run again");
  std::string outputPath = output.str();
  // --mmap-output-file: lld 22 writes from a buffer in memory then, and only
  // then, so that a full disk is an error of write() and not a signal. The
  // weights and code need no other library: nothing is linked in.
  std::vector<const char *> args = {"ld.lld", "--mmap-output-file",
                                    "--threads=1", "-z", "noexecstack"};
  if (kind == LinkKind::Relocatable)
    args.push_back("-r");
  else
    args.insert(args.end(), {"-shared", "--hash-style=gnu", "--build-id=none",
                             "--gc-sections", "-z", "now"});
  for (const std::string &object : objects)
    args.push_back(object.c_str());
  args.insert(args.end(), {"-o", outputPath.c_str()});
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result result = runLinker(args, stream);
  usable = result.canRunAgain;
  if (result.retCode == 0)
    return Error::success();
  StringRef text = StringRef(messages).trim();
  if (text.contains("failed to write output") ||
      text.contains("cannot open output file"))
    return createStringError(std::make_error_code(std::errc::io_error),
                             "cannot be written: " + text.rsplit(": ").second);
  return createStringError("linking failed: " + text);
}
