// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Table.h"

#include <cmath>
#include <cstring>
#include <initializer_list>

using namespace vae::runtime;

//===----------------------------------------------------------------------===//
// Element types and sizes
//===----------------------------------------------------------------------===//

namespace {
struct DtypeFacts {
  const char *name;
  int64_t size;
};
} // namespace

static DtypeFacts getFacts(int32_t dtype) {
  switch (dtype) {
  case VAE_DTYPE_F32:
    return {"f32", 4};
  case VAE_DTYPE_F16:
    return {"f16", 2};
  case VAE_DTYPE_BF16:
    return {"bf16", 2};
  case VAE_DTYPE_I8:
    return {"i8", 1};
  case VAE_DTYPE_U8:
    return {"u8", 1};
  case VAE_DTYPE_I32:
    return {"i32", 4};
  case VAE_DTYPE_I64:
    return {"i64", 8};
  default:
    return {"?", 0};
  }
}

const char *vae::runtime::getDtypeName(int32_t dtype) {
  return getFacts(dtype).name;
}

int64_t vae::runtime::getDtypeSize(int32_t dtype) {
  return getFacts(dtype).size;
}

int64_t vae::runtime::getDim(const vae_abi_model &table, const vae_abi_dim &dim,
                             const int64_t *symbols) {
  int64_t size = dim.offset;
  if (dim.symbol >= 0) {
    int64_t units = symbols[dim.symbol] / table.symbols[dim.symbol].multiple;
    if (__builtin_mul_overflow(dim.scale, units, &size) ||
        __builtin_add_overflow(size, dim.offset, &size))
      return -1;
  }
  return size >= 1 ? size : -1;
}

int64_t vae::runtime::getNumElements(const vae_abi_model &table,
                                     const vae_abi_tensor &tensor,
                                     const int64_t *symbols) {
  int64_t count = 1;
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    int64_t dim = getDim(table, tensor.dims[d], symbols);
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count))
      return -1;
  }
  return count;
}

int64_t vae::runtime::getNumBytes(const vae_abi_model &table,
                                  const vae_abi_tensor &tensor,
                                  const int64_t *symbols) {
  int64_t count = getNumElements(table, tensor, symbols);
  if (count < 0 ||
      __builtin_mul_overflow(count, getDtypeSize(tensor.dtype), &count))
    return -1;
  return count;
}

uint32_t vae::runtime::getChannelDim(const vae_abi_tensor &tensor) {
  const char *channel = std::strchr(tensor.layout, 'C');
  return channel ? static_cast<uint32_t>(channel - tensor.layout) : 1;
}

const vae_abi_entry *vae::runtime::findEntry(const vae_abi_model &table,
                                             const char *name) {
  for (uint32_t i = 0; i < table.num_entries; ++i)
    if (std::strcmp(table.entries[i].name, name) == 0)
      return &table.entries[i];
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Shapes as text
//===----------------------------------------------------------------------===//

static void addDim(Text &text, const vae_abi_model &table,
                   const vae_abi_dim &dim) {
  if (dim.symbol < 0) {
    text.add("%lld", static_cast<long long>(dim.offset));
    return;
  }
  const vae_abi_symbol &symbol = table.symbols[dim.symbol];
  int64_t scale = dim.scale, divisor = symbol.multiple;
  if (scale % divisor == 0) {
    scale /= divisor;
    divisor = 1;
  }
  if (scale != 1)
    text.add("%lld*", static_cast<long long>(scale));
  text.add("%s", symbol.name);
  if (divisor != 1)
    text.add("/%lld", static_cast<long long>(divisor));
  bool isValue = scale == 1 && divisor == 1;
  int64_t offset = dim.offset - (isValue ? symbol.remainder : 0);
  if (offset)
    text.add("%+lld", static_cast<long long>(offset));
}

void vae::runtime::addShape(Text &text, const vae_abi_model &table,
                            const vae_abi_tensor &tensor) {
  text.add("[");
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    text.add("%s", d ? ", " : "");
    addDim(text, table, tensor.dims[d]);
  }
  text.add("]");
}

void vae::runtime::addShape(Text &text, const int64_t *dims, uint32_t rank) {
  text.add("[");
  for (uint32_t d = 0; d < rank; ++d)
    text.add("%s%lld", d ? ", " : "", static_cast<long long>(dims[d]));
  text.add("]");
}

void vae::runtime::addShape(Text &text, const vae_abi_model &table,
                            const vae_abi_tensor &tensor,
                            const int64_t *symbols) {
  int64_t dims[kMaxRank];
  for (uint32_t d = 0; d < tensor.rank; ++d)
    dims[d] = getDim(table, tensor.dims[d], symbols);
  addShape(text, dims, tensor.rank);
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// Of a halo or an offset beside it: sums of them do not overflow.
static constexpr int64_t kMostHalo = int64_t(1) << 40;

namespace {

/// Says where the table is wrong: "entry 'encode', output 1: ...".
class TableCheck {
public:
  TableCheck(const vae_abi_model &table, Text &message)
      : table(table), message(message) {}

  bool run() {
    return checkModel() && checkVersions() && checkScaling() &&
           checkSymbols() && checkEntries();
  }

private:
  bool fail(const char *what) {
    message.add("the library's table contradicts itself: ");
    if (entry)
      message.add("entry %u: ", entryIndex);
    if (segment)
      message.add("segment %u: ", segment - 1);
    if (kind)
      message.add("%s %u: ", kind, index);
    message.add("%s; compile the model again, and report a defect of the "
                "compiler if that does not help",
                what);
    return false;
  }
  static bool isName(const char *text) { return text && *text; }

  bool checkModel();
  bool checkVersions();
  bool checkScaling();
  bool checkSymbols();
  bool checkEntries();
  bool checkEntry();
  bool checkRecord();
  bool checkSteps();
  bool checkTiling();
  bool checkSegments();
  bool checkSegment(const vae_abi_entry &whole, bool first, bool last,
                    const vae_abi_tensor *&taken, const vae_abi_tensor *&given);
  bool checkHalos(const vae_abi_halo *halos);
  bool checkParts(const vae_abi_tensor &tensor, bool output,
                  const vae_abi_halo *halos);
  bool checkTensors(const char *kindName, const vae_abi_tensor *tensors,
                    uint32_t count, bool *used);
  bool checkTensor(const vae_abi_tensor &tensor);
  bool checkDims(const vae_abi_tensor &tensor);

  const vae_abi_model &table;
  Text &message;
  const vae_abi_entry *entry = nullptr; // or a segment of it
  unsigned entryIndex = 0, segment = 0; // 0: none; the first is 1
  const char *kind = nullptr;
  unsigned index = 0;
};

} // namespace

bool TableCheck::checkModel() {
  if (table.struct_size < sizeof(vae_abi_model))
    return fail("it is shorter than version 1 of the ABI says");
  for (const char *text :
       {table.name, table.compiler_version, table.target_triple,
        table.cpu_features, table.quantization, table.likelihood, table.prior})
    if (!text)
      return fail("a text of the model is NULL");
  if (table.num_symbols < 1 || table.num_symbols > kMaxSymbols ||
      !table.symbols)
    return fail("the number of symbols is not in 1..64, or they are NULL");
  if (table.num_entries < 1 || table.num_entries > kMaxEntries ||
      !table.entries)
    return fail("the number of entries is not in 1..1024, or they are NULL");
  if (table.weights_size < 0 || table.num_parameters < 0 ||
      (table.weights_size > 0 && !table.weights))
    return fail("the weights are NULL or of negative size");
  return true;
}

bool TableCheck::checkVersions() {
  if (!table.num_versions)
    return true;
  if (table.num_versions < 2 || table.num_versions > kMaxVersions ||
      !table.versions)
    return fail("the number of versions is not in 2..64, or they are NULL");
  kind = "version";
  for (index = 0; index < table.num_versions; ++index) {
    const vae_abi_version &version = table.versions[index];
    if (!isName(version.name))
      return fail("it has no name");
    const vae_abi_model *other = version.table;
    if (!other || other->abi_version != table.abi_version ||
        other->struct_size < sizeof(vae_abi_model) || !other->cpu_features)
      return fail("its table is NULL or of another version of the ABI, or has "
                  "no CPU features");
    if (other->versions != table.versions ||
        other->num_versions != table.num_versions)
      return fail("its table lists other versions");
  }
  kind = nullptr;
  return true;
}

bool TableCheck::checkScaling() {
  const vae_abi_scaling *scaling = table.latent_scaling;
  if (!scaling)
    return true;
  bool good = scaling->count > 0 && scaling->scale && scaling->shift;
  for (uint32_t c = 0; good && c < scaling->count; ++c)
    good = scaling->scale[c] > 0 && std::isnormal(scaling->scale[c]) &&
           std::isfinite(scaling->shift[c]);
  return good || fail("the scaling of the latent is empty, or a number of it "
                      "is not finite, or no positive scale");
}

bool TableCheck::checkSymbols() {
  kind = "symbol";
  for (index = 0; index < table.num_symbols; ++index) {
    const vae_abi_symbol &symbol = table.symbols[index];
    if (!isName(symbol.name))
      return fail("it has no name");
    if (symbol.minimum < 1 || symbol.multiple < 1)
      return fail("its minimum or its multiple is below 1");
    if (symbol.remainder < 0 || symbol.remainder >= symbol.multiple)
      return fail("its remainder is not in 0..multiple-1");
    if (symbol.flags & ~int64_t{VAE_SYMBOL_WHOLE})
      return fail("its flags are unknown");
    if (symbol.minimum > INT64_MAX - symbol.multiple)
      return fail("its minimum is absurd");
  }
  index = 0;
  if (std::strcmp(table.symbols[0].name, "batch") != 0)
    return fail("it is not the batch");
  kind = nullptr;
  return true;
}

bool TableCheck::checkEntries() {
  for (uint32_t i = 0; i < table.num_entries; ++i) {
    entry = &table.entries[i];
    entryIndex = i;
    if (!checkEntry())
      return false;
  }
  return true;
}

bool TableCheck::checkEntry() {
  if (!checkRecord())
    return false;
  if (findEntry(table, entry->name) != entry)
    return fail("an earlier one has the same name");
  return checkSegments();
}

bool TableCheck::checkRecord() {
  if (!isName(entry->name))
    return fail("it has no name");
  if (!entry->run || !entry->arena_size || !entry->flops)
    return fail("a function is NULL");
  if (entry->num_inputs < 1 || entry->num_inputs > kMaxTensors ||
      entry->num_outputs < 1 || entry->num_outputs > kMaxTensors ||
      !entry->inputs || !entry->outputs)
    return fail("the number of inputs or outputs is not in 1..1024, or they "
                "are NULL");
  bool known[kMaxSymbols] = {}, used[kMaxSymbols] = {};
  if (!checkTensors("input", entry->inputs, entry->num_inputs, known) ||
      !checkTensors("output", entry->outputs, entry->num_outputs, used))
    return false;
  for (uint32_t s = 0; s < table.num_symbols; ++s)
    if (used[s] && !known[s])
      return fail("an output has a dynamic dimension that no input has");
  return checkSteps() && checkTiling();
}

bool TableCheck::checkSteps() {
  if (entry->num_steps == 0) {
    if (entry->steps || entry->step_costs)
      return fail("it has steps, but their number is 0");
    return true;
  }
  if (entry->num_steps > kMaxSteps || !entry->steps || !entry->step_costs)
    return fail("the number of steps is over 1048576, or they or their costs "
                "are NULL");
  kind = "step";
  for (index = 0; index < entry->num_steps; ++index) {
    const vae_abi_step &step = entry->steps[index];
    if (!step.layer || !isName(step.kernel))
      return fail("its layer is NULL, or its kernel has no name");
    if (step.predicted < 0)
      return fail("its predicted time is below 0");
  }
  kind = nullptr;
  return true;
}

bool TableCheck::checkTiling() {
  if (!entry->tiling)
    return true;
  const vae_abi_tiling &tiling = *entry->tiling;
  if (!tiling.halos)
    return (tiling.layer && isName(tiling.operation)) ||
           fail("it does not say what keeps it from running in parts");
  if (tiling.layer || tiling.operation)
    return fail("it has halos, but also something that allows no parts");
  if (!checkHalos(tiling.halos))
    return false;
  for (uint32_t i = 0; i < entry->num_inputs; ++i)
    if (!checkParts(entry->inputs[i], /*output=*/false, tiling.halos))
      return false;
  for (uint32_t i = 0; i < entry->num_outputs; ++i)
    if (!checkParts(entry->outputs[i], /*output=*/true, tiling.halos))
      return false;
  return true;
}

/// Whether one tensor can be given where another is taken.
static bool areAlike(const vae_abi_tensor &a, const vae_abi_tensor &b) {
  bool alike = a.dtype == b.dtype && a.rank == b.rank;
  for (uint32_t d = 0; alike && d < a.rank; ++d)
    alike = a.dims[d].symbol == b.dims[d].symbol &&
            a.dims[d].scale == b.dims[d].scale &&
            a.dims[d].offset == b.dims[d].offset;
  return alike;
}

/// Whether a segment's tensors are those of the whole, or, between segments,
/// the one that others have there.
static bool fit(bool atEnd, const vae_abi_tensor *own, uint32_t count,
                const vae_abi_tensor *wholes, uint32_t wholeCount,
                const vae_abi_tensor *&between) {
  if (!atEnd) {
    if (!between)
      between = own;
    return count == 1 && areAlike(*own, *between);
  }
  bool same = count == wholeCount;
  for (uint32_t i = 0; same && i < count; ++i)
    same = areAlike(own[i], wholes[i]);
  return same;
}

bool TableCheck::checkSegments() {
  const vae_abi_entry &whole = *entry;
  const vae_abi_tiling *tiling = whole.tiling;
  if (!tiling || (tiling->num_points == 0 && !tiling->segments))
    return true;
  if (!tiling->halos || tiling->num_points < 3 ||
      tiling->num_points > kMaxPoints || !tiling->segments)
    return fail("the number of points of its segments is not in 3..16, or they "
                "are NULL");
  uint32_t points = tiling->num_points;
  const vae_abi_tensor *between[kMaxPoints] = {}; // what is there at each point
  entry = tiling->segments;
  for (uint32_t begin = 0; begin + 1 < points; ++begin)
    for (uint32_t end = begin + 1; end < points; ++end, ++entry) {
      ++segment;
      if (!checkRecord() || !checkSegment(whole, begin == 0, end + 1 == points,
                                          between[begin], between[end]))
        return false;
    }
  segment = 0;
  entry = &whole;
  return true;
}

/// `taken` and `given` are what other segments have at its ends; null before
/// the first of them.
bool TableCheck::checkSegment(const vae_abi_entry &whole, bool first, bool last,
                              const vae_abi_tensor *&taken,
                              const vae_abi_tensor *&given) {
  if (!entry->tiling || !entry->tiling->halos || entry->tiling->num_points)
    return fail("it has no halos, or segments of its own");
  if (!fit(first, entry->inputs, entry->num_inputs, whole.inputs,
           whole.num_inputs, taken) ||
      !fit(last, entry->outputs, entry->num_outputs, whole.outputs,
           whole.num_outputs, given))
    return fail("its inputs or outputs do not fit what is beside it");
  return true;
}

bool TableCheck::checkHalos(const vae_abi_halo *halos) {
  for (uint32_t s = 0; s < table.num_symbols; ++s) {
    const vae_abi_halo &halo = halos[s];
    int64_t multiple = halo.multiple;
    if (multiple < 0 || multiple > kMostHalo || halo.before < 0 ||
        halo.before > kMostHalo || halo.after < 0 || halo.after > kMostHalo)
      return fail("a halo is negative or absurd");
    if (multiple == 0 ? halo.before || halo.after
                      : halo.before % multiple || halo.after % multiple ||
                            multiple % table.symbols[s].multiple)
      return fail("a halo is no multiple of what it must be");
  }
  const vae_abi_symbol &batch = table.symbols[0];
  if (halos[0].multiple || batch.minimum != 1 || batch.multiple != 1)
    return fail("it runs in parts, but its batch is not of single examples");
  return true;
}

/// What is copied of a part must lie in its tensors.
bool TableCheck::checkParts(const vae_abi_tensor &tensor, bool output,
                            const vae_abi_halo *halos) {
  for (uint32_t d = 1; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    if (dim.symbol == 0)
      return fail("it runs in parts, but has the batch on a second axis");
    if (!output || dim.symbol < 0 || halos[dim.symbol].multiple == 0)
      continue;
    int64_t units =
        halos[dim.symbol].after / table.symbols[dim.symbol].multiple;
    int64_t beyond;
    if (dim.offset < -kMostHalo || dim.offset > kMostHalo ||
        __builtin_mul_overflow(dim.scale, units, &beyond) ||
        beyond < -dim.offset)
      return fail("a halo is narrower than what an output lacks at its end");
  }
  return true;
}

bool TableCheck::checkTensors(const char *kindName,
                              const vae_abi_tensor *tensors, uint32_t count,
                              bool *used) {
  kind = kindName;
  for (index = 0; index < count; ++index) {
    const vae_abi_tensor &tensor = tensors[index];
    if (!checkTensor(tensor))
      return false;
    for (uint32_t d = 0; d < tensor.rank; ++d)
      if (tensor.dims[d].symbol >= 0)
        used[tensor.dims[d].symbol] = true;
  }
  kind = nullptr;
  return true;
}

bool TableCheck::checkTensor(const vae_abi_tensor &tensor) {
  if (!isName(tensor.name))
    return fail("it has no name");
  if (!getDtypeSize(tensor.dtype))
    return fail("its element type is unknown");
  if (tensor.role < 0)
    return fail("its role is unknown");
  if (tensor.rank < 1 || tensor.rank > kMaxRank || !tensor.dims)
    return fail("its rank is not in 1..16, or its dimensions are NULL");
  if (!tensor.layout)
    return fail("its layout is NULL");
  if (tensor.role == VAE_ROLE_NOISE && tensor.dtype != VAE_DTYPE_F32)
    return fail("it is noise, but not f32");
  if (!checkDims(tensor))
    return false;
  const vae_abi_scaling *scaling = table.latent_scaling;
  if (!scaling || scaling->count == 1 || !isLatent(tensor))
    return true;
  uint32_t channels = getChannelDim(tensor);
  if (channels >= tensor.rank || tensor.dims[channels].symbol >= 0 ||
      tensor.dims[channels].offset != scaling->count)
    return fail("the latent is scaled by channels, but it has other ones");
  return true;
}

bool TableCheck::checkDims(const vae_abi_tensor &tensor) {
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    if (dim.symbol >= 0 &&
        (static_cast<uint32_t>(dim.symbol) >= table.num_symbols ||
         dim.scale < 1))
      return fail("a dimension has an unknown symbol or no positive scale");
    if (dim.symbol < 0 && dim.offset < 1)
      return fail("a fixed dimension is below 1");
  }
  const vae_abi_dim &batch = tensor.dims[0];
  if (batch.symbol != 0 || batch.scale != table.symbols[0].multiple ||
      batch.offset != 0)
    return fail("its first dimension is not the batch");
  return true;
}

vae_status_t vae::runtime::checkTable(const vae_abi_model *table,
                                      Text &message) {
  if (!table) {
    message.add("the library refuses version %u of the ABI; compile the model "
                "with the vaec of this runtime (%s)",
                VAE_ABI_VERSION, vae_runtime_version());
    return VAE_UNSUPPORTED_ABI;
  }
  if (table->abi_version < 1 || table->abi_version > VAE_ABI_VERSION) {
    message.add("the library speaks version %u of the ABI, this runtime (%s) "
                "knows up to %u; use a newer runtime",
                table->abi_version, vae_runtime_version(), VAE_ABI_VERSION);
    return VAE_UNSUPPORTED_ABI;
  }
  return TableCheck(*table, message).run() ? VAE_OK : VAE_INVALID_MODEL;
}
