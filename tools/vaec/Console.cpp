// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/Console.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace vae::tool;

static constexpr std::chrono::seconds kPatience(2);
static constexpr std::chrono::milliseconds kTick(100);
static constexpr unsigned kBarWidth = 20;

Progress::Progress() {
  if (llvm::sys::Process::StandardErrIsDisplayed())
    thread = std::thread([this] { run(); });
}

void Progress::setStage(llvm::StringRef name, unsigned newIndex,
                        unsigned newCount) {
  std::lock_guard<std::mutex> lock(mutex);
  stage = name.str();
  index = newIndex;
  count = newCount;
}

void Progress::stop() {
  if (!thread.joinable())
    return;
  {
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
  }
  wake.notify_one();
  thread.join();
}

void Progress::interrupt(llvm::function_ref<void()> print) {
  std::lock_guard<std::mutex> lock(mutex);
  erase();
  print();
}

void Progress::run() {
  std::unique_lock<std::mutex> lock(mutex);
  auto next = start + kPatience;
  while (!wake.wait_until(lock, next, [this] { return done; })) {
    draw();
    next = Clock::now() + kTick;
  }
  erase();
}

void Progress::draw() {
  std::chrono::duration<double> elapsed = Clock::now() - start;
  unsigned full = kBarWidth * index / count;
  llvm::errs() << "\r\x1b[K[" << std::string(full, '#')
               << std::string(kBarWidth - full, '.') << "] " << stage << " "
               << llvm::format("%.1f s", elapsed.count());
  visible = true;
}

void Progress::erase() {
  if (visible)
    llvm::errs() << "\r\x1b[K";
  visible = false;
}

static llvm::StringRef getKind(mlir::DiagnosticSeverity severity) {
  switch (severity) {
  case mlir::DiagnosticSeverity::Error:
    return "error";
  case mlir::DiagnosticSeverity::Warning:
    return "warning";
  default:
    return "note";
  }
}

void vae::tool::printDiagnostic(mlir::Diagnostic &diagnostic) {
  mlir::FileLineColLoc position;
  diagnostic.getLocation()->walk([&](mlir::Location part) {
    position = llvm::dyn_cast<mlir::FileLineColLoc>(part);
    return position ? mlir::WalkResult::interrupt()
                    : mlir::WalkResult::advance();
  });
  if (position) {
    llvm::errs() << position.getFilename().getValue() << ":";
    if (position.getLine())
      llvm::errs() << position.getLine() << ":" << position.getColumn() << ":";
    llvm::errs() << " ";
  }
  llvm::errs() << getKind(diagnostic.getSeverity()) << ": " << diagnostic.str()
               << "\n";
  for (mlir::Diagnostic &note : diagnostic.getNotes())
    printDiagnostic(note);
}
