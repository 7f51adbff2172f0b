// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options of every command, in groups.
#include "tools/vae-run/Commands.h"

#include "CLI/CLI.hpp"
#include "vae/vae_runtime.h"

using namespace vaerun;

namespace {

constexpr char kFooter[] =
    "Input files: .npy, .npz (FILE.npz:NAME for one array of several), IDX and "
    "PNG, also\nin gzip; several are taken one after the other. Exit codes: 0 "
    "done, 1 a file or value\nthat does not fit, 2 a wrong command line, 70 a "
    "defect of vae-run.";

/// The library stands before the command.
class Formatter : public CLI::Formatter {
  std::string make_usage(const CLI::App *app, std::string name) const override {
    std::string text = CLI::Formatter::make_usage(app, name);
    if (app->get_parent())
      text.replace(text.find("vae-run"), 7, "vae-run LIBRARY");
    return text;
  }
};

/// CLI11 takes -1 for a large unsigned number.
std::string checkUnsigned(const std::string &text) {
  return text.empty() || text[0] != '-'
             ? ""
             : "expected a number that is not negative, found " + text;
}

/// Writes to `options`, which must outlive the app.
class CommandLine {
public:
  explicit CommandLine(Options &options) : o(options) {}

  void declare(CLI::App &app);

private:
  CLI::App *addCommand(CLI::App &app, const char *name, const char *text);
  void addData(CLI::App *command, const char *text);
  void addNamed(CLI::App *command);
  void addNoise(CLI::App *command);
  void addSizes(CLI::App *command);
  void addOutput(CLI::App *command, const char *text, bool required);
  void addExecution(CLI::App *command);
  void addThreads(CLI::App *command, const char *group);
  void addVersion(CLI::App *command, const char *group);
  void addMaxMemory(CLI::App *command, const char *group);
  void addSampling(CLI::App *command);
  void addScaled(CLI::App *command, const char *text);
  void declareInfo(CLI::App &app);
  void declareGenerate(CLI::App &app);
  void declareScore(CLI::App &app);
  void declareBench(CLI::App &app);

  Options &o;
};

} // namespace

CLI::App *CommandLine::addCommand(CLI::App &app, const char *name,
                                  const char *text) {
  CLI::App *command = app.add_subcommand(name, text);
  command->footer(kFooter);
  command->add_flag("--json", o.json,
                    "Print one JSON object (docs/vae-run.md)");
  command->final_callback([&options = o, name] { options.command = name; });
  return command;
}

void CommandLine::addData(CLI::App *command, const char *text) {
  command->add_option("files", o.files, text)
      ->required()
      ->option_text("FILE...");
}

void CommandLine::addNamed(CLI::App *command) {
  const char *input = "Input";
  command
      ->add_option("--input", o.named,
                   "A further input of the model: one value for each example, "
                   "or one for all; repeatable")
      ->allow_extra_args(false)
      ->option_text("NAME=FILE")
      ->group(input);
  command
      ->add_flag("--allow-nonfinite", o.allowNonfinite,
                 "Accept NaN and infinite numbers")
      ->group(input);
}

void CommandLine::addNoise(CLI::App *command) {
  const char *random = "Random numbers";
  command->add_option("--seed", o.seed, "Seed of the noise; default 0")
      ->check(checkUnsigned)
      ->option_text("N")
      ->group(random);
  command
      ->add_option("--noise", o.noise,
                   "Noise of the shape of mu instead of generated noise")
      ->option_text("FILE")
      ->group(random);
}

void CommandLine::addSampling(CLI::App *command) {
  command
      ->add_flag("--sample", o.sample,
                 "Sample z = mu + exp(logvar / 2) * noise")
      ->group("Random numbers");
}

void CommandLine::addScaled(CLI::App *command, const char *text) {
  command->add_flag("--scaled", o.scaled, text)->group("Latent");
}

void CommandLine::addSizes(CLI::App *command) {
  command
      ->add_option("--size", o.size,
                   "Height and width, for models in which they are dynamic")
      ->option_text("HxW")
      ->group("Input");
  command
      ->add_option("--dim", o.dims,
                   "Size of a dynamic dimension by name; repeatable")
      ->allow_extra_args(false)
      ->option_text("NAME=SIZE")
      ->group("Input");
}

void CommandLine::addOutput(CLI::App *command, const char *text,
                            bool required) {
  command->add_option("-o,--output", o.output, text)
      ->required(required)
      ->option_text("FILE")
      ->group("Output");
}

void CommandLine::addExecution(CLI::App *command) {
  command
      ->add_option("--batch", o.chunk,
                   "Examples to run at a time; default 64, fewer if that "
                   "takes over 1 GiB. Does not change the noise")
      ->option_text("N")
      ->group("Execution");
  addThreads(command, "Execution");
  addMaxMemory(command, "Execution");
  addVersion(command, "Execution");
}

void CommandLine::addThreads(CLI::App *command, const char *group) {
  command
      ->add_option("--threads", o.threads,
                   "Threads; default one for each available CPU")
      ->check(checkUnsigned)
      ->option_text("N")
      ->group(group);
}

void CommandLine::addVersion(CLI::App *command, const char *group) {
  command
      ->add_option("--cpu-version", o.cpuVersion,
                   "Version to run of a library with code for several CPUs; "
                   "default: the best for this machine")
      ->option_text("CPU")
      ->group(group);
}

void CommandLine::addMaxMemory(CLI::App *command, const char *group) {
  command
      ->add_option("--max-memory", o.maxMemory,
                   "Most bytes for arena and outputs, as 256M: runs in parts, "
                   "which gives the same bits")
      ->option_text("N[K|M|G]")
      ->group(group);
}

void CommandLine::declareGenerate(CLI::App &app) {
  CLI::App *encode =
      addCommand(app, "encode", "Write mu and logvar (or the code) of inputs");
  addData(encode, "Inputs");
  addNamed(encode);
  addNoise(encode);
  addSampling(encode);
  addScaled(encode, "Write (z - shift) * scale, which diffusion models take, "
                    "with the numbers that the model declares");
  addOutput(encode, "All arrays as .npz; one as .npy", true);
  addExecution(encode);

  CLI::App *decode = addCommand(
      app, "decode", "Write the decoder's own output (logits stay logits)");
  addData(decode, "Latents; of several arrays in an .npz file z, or mu");
  addNamed(decode);
  addScaled(decode, "The latents are scaled, as encode --scaled writes them");
  addOutput(decode, ".npy, .npz, or .png for a grid of images", true);
  addExecution(decode);

  CLI::App *reconstruct = addCommand(
      app, "reconstruct",
      "Write the likelihood's mean at z = mu; print reconstruction errors");
  addData(reconstruct, "Inputs");
  addNamed(reconstruct);
  addNoise(reconstruct);
  addSampling(reconstruct);
  addScaled(reconstruct, "No effect here: scaling and its inverse cancel");
  addOutput(reconstruct, ".npy, .npz, or .png for a grid of images", false);
  reconstruct
      ->add_flag("--compare", o.compare,
                 "In a .png: each input above its reconstruction")
      ->group("Output");
  addExecution(reconstruct);

  CLI::App *sample = addCommand(
      app, "sample", "Write the likelihood's mean at samples of the prior");
  sample->add_option("count", o.count, "Number of examples")
      ->required()
      ->option_text("COUNT");
  addNamed(sample);
  addNoise(sample);
  addScaled(sample, "Take the samples of the prior for scaled latents");
  addSizes(sample);
  addOutput(sample, ".npy, .npz, or .png for a grid of images", true);
  addExecution(sample);
}

void CommandLine::declareScore(CLI::App &app) {
  CLI::App *score =
      addCommand(app, "score", "Print log-likelihood, KL and ELBO of inputs");
  addData(score, "Inputs");
  addNamed(score);
  addNoise(score);
  score
      ->add_option("--samples", o.samples,
                   "Draws of the noise to average over; default 1")
      ->option_text("K")
      ->group("Random numbers");
  addOutput(score, "Values of each example, as .npz", false);
  addExecution(score);
}

void CommandLine::declareBench(CLI::App &app) {
  CLI::App *bench =
      addCommand(app, "bench", "Measure time and memory on random inputs");
  const char *group = "Execution";
  bench
      ->add_option("--entry", o.entry,
                   "Entry point; default reconstruct, or the first")
      ->option_text("NAME")
      ->group(group);
  bench->add_option("--batch", o.batches, "Batches; default 1")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("N,...")
      ->group(group);
  bench
      ->add_option("--threads", o.threadCounts,
                   "Threads; default one for each available CPU")
      ->check(checkUnsigned)
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("N,...")
      ->group(group);
  addMaxMemory(bench, group);
  addVersion(bench, group);
  bench
      ->add_option("--seconds", o.seconds,
                   "Time to measure each for, after a warm-up; default 1")
      ->option_text("S")
      ->group(group);
  bench
      ->add_flag("--layers", o.layers,
                 "Print time, GFLOP/s, % of the machine's peak and GB/s of "
                 "each layer")
      ->group("Output");
  bench
      ->add_option("--trace", o.trace,
                   "Write when each step of the last calls ran, for a trace "
                   "viewer (Chrome's JSON)")
      ->option_text("FILE")
      ->group("Output");
  addSizes(bench);
}

void CommandLine::declareInfo(CLI::App &app) {
  auto *info = addCommand(app, "info",
                          "Print what a library says of itself, and the memory "
                          "that it takes at a size");
  info->add_option_function<int64_t>(
          "--batch",
          [&options = o](int64_t batch) {
            options.batches = {batch};
            options.wantsMemory = true;
          },
          "Print the memory at that batch; default with --size: 1")
      ->check(CLI::PositiveNumber)
      ->option_text("N")
      ->group("Input");
  addSizes(info);
  addThreads(info, "Input");
  addMaxMemory(info, "Input");
  addVersion(info, "Input");
}

void CommandLine::declare(CLI::App &app) {
  app.set_version_flag("--version",
                       std::string("vae-run ") + vae_runtime_version());
  app.footer("Run vae-run LIBRARY COMMAND --help for the options of a command. "
             "A library is code:\nonly info without sizes reads one without "
             "running it.");
  app.add_option("library", o.library, "The compiled model, of vaec")
      ->required()
      ->option_text("LIBRARY");
  app.require_subcommand(1);
  declareInfo(app);
  declareGenerate(app);
  declareScore(app);
  declareBench(app);
}

void vaerun::declareOptions(CLI::App &app, Options &options) {
  app.formatter(std::make_shared<Formatter>());
  CommandLine(options).declare(app);
}
