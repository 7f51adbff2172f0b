// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/Recovery.h"

#include "tools/vaec/Arguments.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

#include <csignal>
#include <cstring>
#include <mutex>
#include <unistd.h>

using namespace vae::tool;

static void say(llvm::StringRef text) {
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0)
    return; // there is nobody to tell
}

/// Nothing may be allocated here.
static void handleBadAlloc(void *, const char *, bool) {
  llvm::sys::RunInterruptHandlers(); // removes temporary files
  say("vaec: error: out of memory\n");
  ::_exit(kInputError);
}

Process::Ignored::Ignored() {
  for (int number : {SIGHUP, SIGINT, SIGTERM}) {
    struct sigaction action;
    if (!::sigaction(number, nullptr, &action) && action.sa_handler == SIG_IGN)
      signals.push_back(number);
  }
}

Process::Process(int &argc, char **&argv) : init(argc, argv) {
  // Some may be closed. If that cannot be mended, writing will say so.
  (void)llvm::sys::Process::FixupStandardFileDescriptors();
  for (int number : ignored.signals)
    std::signal(number, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  llvm::install_bad_alloc_error_handler(handleBadAlloc, nullptr);
}

/// Recovery handlers run on the alternate stack that LLVM has set up, so that
/// an overflow of the stack is a crash like any other.
static void useAlternateStack() {
  for (int signal : {SIGSEGV, SIGBUS}) {
    struct sigaction action;
    if (::sigaction(signal, nullptr, &action))
      continue;
    action.sa_flags |= SA_ONSTACK;
    ::sigaction(signal, &action, nullptr);
  }
}

std::string vae::tool::runRecoverably(llvm::function_ref<void()> body) {
  std::string fatal;
  llvm::install_fatal_error_handler(
      [](void *text, const char *reason, bool) {
        // Possibly in a thread of the code generator, which recovers by itself.
        static std::mutex mutex;
        {
          std::lock_guard<std::mutex> lock(mutex);
          *static_cast<std::string *>(text) = reason;
        }
        if (auto *context = llvm::CrashRecoveryContext::GetCurrent())
          context->HandleExit(kBug);
      },
      &fatal);
  llvm::CrashRecoveryContext::Enable();
  useAlternateStack();
  llvm::CrashRecoveryContext context;
  context.DumpStackAndCleanupOnFailure = true;
  bool finished = context.RunSafely(body);
  llvm::CrashRecoveryContext::Disable();
  llvm::remove_fatal_error_handler();
  if (finished)
    return fatal;
  // What follows may wait for a lock that the crash has left.
  std::signal(SIGALRM, [](int) { ::_exit(kBug); });
  ::alarm(60);
  if (!fatal.empty())
    return fatal;
  int signal = context.RetCode - 128;
  const char *name = signal > 0 ? ::strsignal(signal) : nullptr;
  return name ? name : "crash";
}
