// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/ElfFile.h"

#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace vae::runtime;

// Far above what a model can say of itself; below what hurts to read.
static constexpr uint64_t kMaxNotes = uint64_t(64) << 20;
static constexpr unsigned kMaxSegments = 4096;

static const char *errorText(int code, char (&buffer)[128]) {
  // Two forms of strerror_r exist; sys_errlist does not.
  struct {
    const char *operator()(int, const char *storage) { return storage; }
    const char *operator()(const char *text, const char *) { return text; }
  } select;
  buffer[0] = '\0';
  return select(strerror_r(code, buffer, sizeof(buffer)), buffer);
}

static uint64_t alignTo(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

/// An open file and what is known of it.
struct ElfFile::Reader {
  ElfFile &file;
  Text &message;
  int fd = -1;
  uint64_t size = 0;
  Elf64_Ehdr header = {};
  Elf64_Phdr *segments = nullptr;

  ~Reader() {
    std::free(segments);
    if (fd >= 0)
      ::close(fd);
  }

  vae_status_t open(const char *path);
  vae_status_t readBytes(void *data, uint64_t bytes, uint64_t offset);
  vae_status_t readHeader();
  vae_status_t readSegments();
  vae_status_t checkSegments();
  vae_status_t findNote();
  vae_status_t findNoteIn(const Elf64_Phdr &segment, char *bytes, bool &found);

  bool contains(uint64_t offset, uint64_t bytes) const {
    return offset <= size && bytes <= size - offset;
  }
  vae_status_t fail(vae_status_t status, const char *text) {
    message.add("%s", text);
    return status;
  }
  vae_status_t truncated(const char *what, uint64_t offset, uint64_t bytes) {
    message.add("the file is truncated: %s takes %" PRIu64
                " bytes at offset %" PRIu64 ", the file has %" PRIu64
                " bytes; compile or copy it again",
                what, bytes, offset, size);
    return VAE_INVALID_MODEL;
  }
};

vae_status_t ElfFile::Reader::open(const char *path) {
  char buffer[128];
  // Not to wait for the writer of a named pipe.
  fd = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    int code = errno;
    message.add("cannot open the file: %s", errorText(code, buffer));
    return code == ENOENT || code == ENOTDIR ? VAE_NOT_FOUND : VAE_IO_ERROR;
  }
  struct stat facts;
  if (fstat(fd, &facts) != 0) {
    message.add("cannot read the file: %s", errorText(errno, buffer));
    return VAE_IO_ERROR;
  }
  if (!S_ISREG(facts.st_mode))
    return fail(VAE_INVALID_MODEL,
                S_ISDIR(facts.st_mode)
                    ? "expected a model library, found a folder"
                    : "expected a model library, found no regular file");
  size = facts.st_size;
  file.identity.device = facts.st_dev;
  file.identity.inode = facts.st_ino;
  file.identity.size = facts.st_size;
  file.identity.modified = facts.st_mtim;
  return VAE_OK;
}

vae_status_t ElfFile::Reader::readBytes(void *data, uint64_t bytes,
                                        uint64_t offset) {
  auto *to = static_cast<char *>(data);
  while (bytes) {
    ssize_t got = pread(fd, to, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0) {
      char buffer[128];
      message.add("cannot read the file: %s",
                  got ? errorText(errno, buffer) : "it became shorter");
      return VAE_IO_ERROR;
    }
    to += got;
    offset += got;
    bytes -= got;
  }
  return VAE_OK;
}

vae_status_t ElfFile::Reader::readHeader() {
  if (size >= SELFMAG) {
    char magic[SELFMAG];
    if (vae_status_t status = readBytes(magic, SELFMAG, 0))
      return status;
    if (std::memcmp(magic, ELFMAG, SELFMAG) != 0)
      return fail(VAE_INVALID_MODEL,
                  "expected a model library (an ELF file), found something "
                  "else; compile the model with vaec first");
  }
  if (!contains(0, sizeof(header)))
    return size ? truncated("the ELF header", 0, sizeof(header))
                : fail(VAE_INVALID_MODEL,
                       "expected a model library, found an empty file");
  if (vae_status_t status = readBytes(&header, sizeof(header), 0))
    return status;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB)
    return fail(VAE_INVALID_MODEL, "expected a 64-bit little-endian ELF file, "
                                   "found another kind of ELF file");
  if (header.e_ident[EI_VERSION] != EV_CURRENT || header.e_type != ET_DYN)
    return fail(VAE_INVALID_MODEL, "expected a shared library, found an ELF "
                                   "file of another type");
  file.machine = header.e_machine;
  return VAE_OK;
}

vae_status_t ElfFile::Reader::readSegments() {
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 ||
      header.e_phnum > kMaxSegments) {
    message.add("the ELF file is damaged: it has %u program headers of %u "
                "bytes; compile or copy it again",
                header.e_phnum, header.e_phentsize);
    return VAE_INVALID_MODEL;
  }
  uint64_t bytes = uint64_t(header.e_phnum) * sizeof(Elf64_Phdr);
  if (!contains(header.e_phoff, bytes))
    return truncated("the table of program headers", header.e_phoff, bytes);
  segments = static_cast<Elf64_Phdr *>(std::malloc(bytes));
  if (!segments)
    return fail(VAE_OUT_OF_MEMORY, "out of memory");
  return readBytes(segments, bytes, header.e_phoff);
}

/// The dynamic loader maps the segments without looking at the size of the
/// file, and touching a page beyond its end kills the process.
vae_status_t ElfFile::Reader::checkSegments() {
  uint64_t sections = uint64_t(header.e_shnum) * header.e_shentsize;
  if (header.e_shoff && !contains(header.e_shoff, sections))
    return truncated("the table of section headers", header.e_shoff, sections);
  const Elf64_Phdr *dynamic = nullptr;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr &segment = segments[i];
    if (segment.p_type == PT_DYNAMIC)
      dynamic = &segment;
    if (segment.p_type != PT_LOAD && segment.p_type != PT_NOTE &&
        segment.p_type != PT_DYNAMIC)
      continue;
    char what[32];
    Text(what, sizeof(what)).add("segment %u", i);
    if (!contains(segment.p_offset, segment.p_filesz))
      return truncated(what, segment.p_offset, segment.p_filesz);
    if (segment.p_type == PT_LOAD && segment.p_filesz > segment.p_memsz) {
      message.add("the ELF file is damaged: %s is larger in the file than in "
                  "memory; compile or copy it again",
                  what);
      return VAE_INVALID_MODEL;
    }
  }
  for (unsigned i = 0; dynamic && i < header.e_phnum; ++i) {
    const Elf64_Phdr &load = segments[i];
    if (load.p_type == PT_LOAD && dynamic->p_vaddr >= load.p_vaddr &&
        dynamic->p_vaddr - load.p_vaddr <= load.p_filesz &&
        dynamic->p_filesz <= load.p_filesz - (dynamic->p_vaddr - load.p_vaddr))
      return VAE_OK;
  }
  return fail(VAE_INVALID_MODEL,
              "the ELF file is damaged: its dynamic section is in no segment; "
              "compile or copy it again");
}

vae_status_t ElfFile::Reader::findNoteIn(const Elf64_Phdr &segment, char *bytes,
                                         bool &found) {
  static constexpr char kOwner[] = VAE_NOTE_OWNER;
  uint64_t alignment = segment.p_align == 8 ? 8 : 4;
  uint64_t end = segment.p_filesz, at = 0;
  while (end - at >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr note;
    std::memcpy(&note, bytes + at, sizeof(note));
    uint64_t owner = at + sizeof(note);
    uint64_t data = alignTo(owner + note.n_namesz, alignment);
    if (data > end || note.n_descsz > end - data) {
      message.add("the ELF file is damaged: a note claims %" PRIu64
                  " bytes, its segment has %" PRIu64
                  "; compile or copy it again",
                  uint64_t(note.n_namesz) + note.n_descsz, end - owner);
      return VAE_INVALID_MODEL;
    }
    if (note.n_type == VAE_NOTE_TYPE && note.n_namesz == sizeof(kOwner) &&
        std::memcmp(bytes + owner, kOwner, sizeof(kOwner)) == 0) {
      file.note = static_cast<char *>(std::malloc(note.n_descsz + size_t(1)));
      if (!file.note)
        return fail(VAE_OUT_OF_MEMORY, "out of memory");
      std::memcpy(file.note, bytes + data, note.n_descsz);
      file.note[note.n_descsz] = '\0';
      file.noteSize = note.n_descsz;
      found = true;
      return VAE_OK;
    }
    at = alignTo(data + note.n_descsz, alignment);
    if (at > end)
      break;
  }
  return VAE_OK;
}

vae_status_t ElfFile::Reader::findNote() {
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr &segment = segments[i];
    if (segment.p_type != PT_NOTE)
      continue;
    if (segment.p_filesz > kMaxNotes) {
      message.add("the ELF file is damaged: a segment of notes claims %" PRIu64
                  " bytes; compile or copy it again",
                  uint64_t(segment.p_filesz));
      return VAE_INVALID_MODEL;
    }
    auto *bytes = static_cast<char *>(std::malloc(segment.p_filesz + 1));
    if (!bytes)
      return fail(VAE_OUT_OF_MEMORY, "out of memory");
    bool found = false;
    vae_status_t status = readBytes(bytes, segment.p_filesz, segment.p_offset);
    if (!status)
      status = findNoteIn(segment, bytes, found);
    std::free(bytes);
    if (status || found)
      return status;
  }
  return fail(VAE_INVALID_MODEL,
              "expected a model library, found a shared library without the "
              "note that vaec writes; compile the model with vaec");
}

vae_status_t ElfFile::read(const char *path, Text &message) {
  Reader reader = {*this, message};
  vae_status_t status = reader.open(path);
  if (!status)
    status = reader.readHeader();
  if (!status)
    status = reader.readSegments();
  if (!status)
    status = reader.checkSegments();
  if (!status)
    status = reader.findNote();
  return status;
}

static const char *machineName(unsigned machine) {
  switch (machine) {
  case EM_X86_64:
    return "x86-64";
  case EM_AARCH64:
    return "AArch64";
  case EM_RISCV:
    return "RISC-V";
  default:
    return "another machine";
  }
}

vae_status_t ElfFile::checkMachine(Text &message) const {
#if defined(__x86_64__)
  constexpr unsigned kHost = EM_X86_64;
#elif defined(__aarch64__)
  constexpr unsigned kHost = EM_AARCH64;
#endif
  if (machine == kHost)
    return VAE_OK;
  message.add("the library is for %s (ELF machine %u), this machine is %s; "
              "compile the model for it, for example with --mcpu=native",
              machineName(machine), machine, machineName(kHost));
  return VAE_INVALID_MODEL;
}
