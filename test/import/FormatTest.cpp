// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The format has three descriptions: Format.def, which the importer reads,
// docs/model.schema.json and docs/model-format.md. They say the same.
#include "test/import/FormatFacts.h"
#include "test/import/ImportTest.h"

#include "compiler/import/native/Model.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace vae;
using namespace vae::test;

namespace {

struct Activation {
  StringRef type, keys;
};
constexpr Activation kActivations[] = {
#define VAE_ACTIVATION(TYPE, KIND, KEYS) {TYPE, KEYS},
#include "compiler/import/native/Format.def"
};

bool isActivation(StringRef type) {
  return any_of(kActivations,
                [&](const Activation &row) { return row.type == type; });
}

StringRef getKeys(StringRef object) {
  for (const ObjectType &row : getObjectTypes())
    if (row.name == object)
      return row.keys;
  return "";
}

/// Roles, or names, of tensors "role=suffix".
Words getTensors(StringRef tensors, bool names) {
  Words words;
  for (const std::string &entry : sortedWords(tensors)) {
    auto [role, suffix] = StringRef(entry).split('=');
    words.push_back(names ? ("<layer>." + suffix).str() : role.str());
  }
  return words;
}

Words sorted(Words words) {
  sort(words);
  return words;
}

Words getColumn(const Table *table, size_t column) {
  Words cells;
  if (table)
    for (const Words &row : table->rows)
      cells.push_back(column < row.size() ? getCode(row[column]) : "");
  return cells;
}

std::string toText(const json::Value &value) {
  std::string text;
  raw_string_ostream(text) << value;
  return text;
}

/// Whether a cell is one JSON value as code.
bool isLiteral(StringRef cell) {
  auto value = json::parse(cell.trim('`'));
  if (!value)
    consumeError(value.takeError());
  return cell.starts_with("`") && cell.ends_with("`") && cell.count('`') == 2 &&
         static_cast<bool>(value);
}

class Format : public ImportTest {
protected:
  /// A table of keys says which are required and the defaults that the schema
  /// states, and nothing else about either.
  void compareDefaults(StringRef section, const json::Object &schema) {
    const Table *table = document.find(section, "key");
    if (!table)
      return;
    Words required = getStrings(schema.getArray("required"));
    for (const Words &row : table->rows) {
      ASSERT_EQ(row.size(), 4u) << section.str();
      std::string key = getCode(row[0]);
      EXPECT_EQ(row[2] == "required", is_contained(required, key))
          << section.str() << ", " << key;
      const json::Value *value = facts.getDefault(schema, key);
      if (value)
        compareDefault(*value, row[2], (section + ", " + key).str());
      else
        EXPECT_FALSE(isLiteral(row[2]))
            << section.str() << ", " << key << ": the schema has no default "
            << row[2];
    }
  }
  void compareDefault(const json::Value &value, StringRef cell,
                      const std::string &where) {
    auto stated = json::parse(getCode(cell));
    ASSERT_TRUE(static_cast<bool>(stated)) << where << ": " << cell.str();
    EXPECT_EQ(toText(*stated), toText(value)) << where;
  }

  Schema facts;
  Document document;
};

} // namespace

TEST_F(Format, ObjectsAndTheirKeys) {
  for (const ObjectType &object : getObjectTypes()) {
    std::string name = object.name.str();
    const json::Object *schema = facts.find(name);
    ASSERT_TRUE(schema) << name;
    if (name != "layer") { // its keys are spelt out in each type
      EXPECT_EQ(getProperties(*schema), sortedWords(object.keys)) << name;
      EXPECT_EQ(schema->getBoolean("additionalProperties"), false) << name;
    }
    EXPECT_EQ(sorted(getColumn(document.find(name, "key"), 0)),
              sortedWords(object.keys))
        << name;
  }
}

TEST_F(Format, NothingElseIsDescribed) {
  Words names;
  for (const ObjectType &object : getObjectTypes())
    names.push_back(object.name.str());
  for (const LayerType &row : getLayerTypes())
    if (!isActivation(row.type))
      names.push_back(row.type.str());
  EXPECT_EQ(sorted(document.words), sorted(names));

  Words types;
  for (const LayerType &row : getLayerTypes())
    types.push_back(row.type.str());
  const json::Object *type = facts.getProperty(*facts.find("layer"), "type");
  ASSERT_TRUE(type);
  EXPECT_EQ(sorted(getStrings(type->getArray("enum"))), sorted(types));
}

TEST_F(Format, LayerTypes) {
  std::string common = (getKeys("layer") + " ").str();
  for (const LayerType &row : getLayerTypes()) {
    std::string type = row.type.str();
    const json::Object *schema = facts.findLayer(type);
    ASSERT_TRUE(schema) << type;
    EXPECT_EQ(getProperties(*schema), sortedWords(common + row.keys.str()))
        << type;
    EXPECT_EQ(schema->getBoolean("additionalProperties"), false) << type;

    const json::Object *inputs =
        facts.resolve(facts.getProperty(*schema, "inputs"));
    ASSERT_TRUE(inputs) << type;
    EXPECT_EQ(inputs->getInteger("minItems"), row.minInputs) << type;
    EXPECT_EQ(inputs->getInteger("maxItems"), row.maxInputs) << type;

    const json::Object *tensors =
        facts.resolve(facts.getProperty(*schema, "weights"));
    ASSERT_TRUE(tensors) << type;
    EXPECT_EQ(getProperties(*tensors), getTensors(row.tensors, false)) << type;
    EXPECT_EQ(tensors->getBoolean("additionalProperties"), false) << type;

    if (isActivation(type))
      continue;
    EXPECT_EQ(sorted(getColumn(document.find(type, "key"), 0)),
              sortedWords(row.keys))
        << type;
    const Table *table = document.find(type, "tensor");
    EXPECT_EQ(sorted(getColumn(table, 0)), getTensors(row.tensors, false))
        << type;
    EXPECT_EQ(sorted(getColumn(table, 1)),
              sorted(getTensors(row.tensors, true)))
        << type;
  }
}

TEST_F(Format, ElementwiseFunctions) {
  const Table *table = document.find("Elementwise functions", "function");
  ASSERT_TRUE(table);
  ASSERT_EQ(table->rows.size(), std::size(kActivations));
  for (auto [row, activation] : zip(table->rows, kActivations)) {
    std::string type = activation.type.str();
    EXPECT_EQ(getCode(row[0]), type);
    // "`alpha`, default `1`; `max`, required"
    const json::Object *schema = facts.findActivation(type);
    ASSERT_TRUE(schema) << type;
    EXPECT_EQ(getProperties(*schema),
              sortedWords(("type " + activation.keys).str()))
        << type;
    Words required = getStrings(schema->getArray("required")), keys;
    SmallVector<StringRef> parameters;
    StringRef(row[2]).split(parameters, ';', -1, false);
    for (StringRef parameter : parameters) {
      keys.push_back(getCode(parameter));
      EXPECT_EQ(parameter.contains("required"),
                is_contained(required, keys.back()))
          << type;
      if (const json::Value *value = facts.getDefault(*schema, keys.back()))
        compareDefault(*value, parameter.split("default ").second, type);
    }
    EXPECT_EQ(sorted(keys), sortedWords(activation.keys)) << type;
  }
  // As a string: those that need no parameter.
  const json::Array *forms = facts.find("activation")->getArray("oneOf");
  ASSERT_TRUE(forms);
  Words plain = getStrings((*forms)[0].getAsObject()->getArray("enum"));
  Words expected;
  for (const Activation &activation : kActivations)
    if (getStrings(facts.findActivation(activation.type)->getArray("required"))
            .size() == 1)
      expected.push_back(activation.type.str());
  EXPECT_EQ(sorted(plain), sorted(expected));
}

TEST_F(Format, DefaultsAndRequiredKeys) {
  for (const ObjectType &object : getObjectTypes())
    if (object.name != "layer")
      compareDefaults(object.name, *facts.find(object.name));
  // Keys of all layers: any type will do.
  compareDefaults("layer", *facts.findLayer("relu"));
  for (const LayerType &row : getLayerTypes())
    if (!isActivation(row.type))
      compareDefaults(row.type, *facts.findLayer(row.type));
}

//===----------------------------------------------------------------------===//
// The examples of the schema, imported
//===----------------------------------------------------------------------===//

namespace {

/// Sizes of the input [N, 12, 8, 8], or [N, 12, 8, 8, 8], of the examples.
constexpr int64_t kChannels = 12, kSize = 8;

class FormatExamples : public Format {
protected:
  static bool isOnVideos(StringRef type) {
    return type == "conv3d" || type == "frames_to_batch" ||
           type == "channels_to_frames" || type == "frames_to_channels";
  }

  static std::string getModel(json::Object layer, StringRef layout) {
    json::Array shape{kChannels, kSize, kSize};
    if (isOnVideos(layer.getString("type").value_or("")))
      shape.push_back(kSize);
    json::Object input{{"name", "x"}, {"shape", std::move(shape)}};
    json::Array layers;
    layers.push_back(std::move(layer));
    return toText(json::Object{
        {"format_version", 1},
        {"name", "example"},
        {"weights", "w.safetensors"},
        {"tensor_layout", layout},
        {"inputs", json::Array{std::move(input)}},
        {"encoder", json::Object{{"layers", std::move(layers)}}},
        {"latent", json::Object{{"kind", "code"}, {"code", "x"}}}});
  }

  /// What the names in documented shapes stand for.
  static int64_t getSize(StringRef name, const json::Object &layer) {
    if (name == "channels")
      return kChannels;
    if (name == "inputs")
      return layer.getString("type") == "dense" ? kSize : kChannels;
    if (name == "last")
      return kSize;
    if (name == "frames" || name == "height" || name == "width")
      return layer.getInteger("kernel_size").value_or(0);
    if (name == "groups" || name == "multiplier")
      return layer.getInteger(name).value_or(1);
    int64_t number = 0;
    if (!name.getAsInteger(10, number))
      return number;
    return layer.getInteger(name).value_or(0);
  }

  /// "[filters, inputs / groups, height, width]" for a layer.
  static std::vector<int64_t> getShape(StringRef text,
                                       const json::Object &layer) {
    std::vector<int64_t> shape;
    SmallVector<StringRef> sizes;
    text.trim("`[]").split(sizes, ',');
    for (StringRef size : sizes) {
      SmallVector<StringRef> terms;
      size.trim().split(terms, ' ');
      int64_t value = getSize(terms[0], layer);
      for (size_t i = 2; i < terms.size(); i += 2) {
        int64_t other = getSize(terms[i], layer);
        value = terms[i - 1] == "*" ? value * other : value / other;
      }
      shape.push_back(value);
    }
    return shape;
  }

  /// Writes the tensors of a layer as the document describes them.
  void writeDocumented(const json::Object &layer, bool keras) {
    std::vector<TestTensor> tensors;
    const Table *table =
        document.find(layer.getString("type").value_or(""), "tensor");
    if (table)
      for (const Words &row : table->rows) {
        StringRef name = StringRef(row[1]).trim('`');
        name.consume_front("<layer>");
        tensors.push_back({(*layer.getString("name") + name).str(),
                           getShape(row[keras ? 3 : 2], layer),
                           {},
                           "F32"});
      }
    writeTensors(tensors);
  }

  void check(const LayerType &row, bool keras) {
    std::string where = (row.type + (keras ? ", keras" : ", pytorch")).str();
    StringRef layout = keras ? "keras" : "pytorch";
    const json::Object *schema = facts.findLayer(row.type);
    ASSERT_TRUE(schema && schema->getArray("examples")) << where;
    json::Object layer = *schema->getArray("examples")->front().getAsObject();
    layer["type"] = row.type; // one example for several functions
    writeDocumented(layer, keras);
    std::string text = print(getModel(layer, layout));
    EXPECT_EQ(errors, "") << where;

    // Every default says what its absence says; an example has no other keys.
    json::Object full = layer;
    Words required = getStrings(schema->getArray("required"));
    for (const std::string &key : getProperties(*schema)) {
      const json::Value *value = facts.getDefault(*schema, key);
      if (is_contained(required, key)) {
        EXPECT_FALSE(value) << where << ", " << key;
        json::Object less = layer;
        less.erase(key);
        EXPECT_NE(fail(getModel(less, layout)), "") << where << ", " << key;
        continue;
      }
      if (!value)
        continue;
      EXPECT_FALSE(layer.get(key)) << where << ", " << key;
      full[key] = *value;
    }
    EXPECT_EQ(print(getModel(full, layout)), text) << where;
  }
};

} // namespace

TEST_F(FormatExamples, ImportAndHaveTheDefaultsStated) {
  for (const LayerType &row : getLayerTypes())
    for (bool keras : {false, true})
      check(row, keras);
}

TEST_F(FormatExamples, ObjectsHaveTheDefaultsStated) {
  // Where the key of an object goes into a model.
  std::string model = R"({"format_version": 1, "name": "m" MODEL,
    "dynamic": {"height": {"min": 4 DIM}, "width": {"min": 4}},
    "inputs": [{"name": "x", "shape": [2, "height", "width"]}],
    "encoder": {"layers": [{"name": "e", "type": "relu"}]},
    "latent": {"kind": "gaussian", "mu": "e", "logvar": "e", "scale": 2 LATENT},
    "decoder": {"layers": [{"name": "d", "type": "relu"}]},
    "likelihood": {"kind": KIND},
    "prior": {"kind": "normal" PRIOR}})";
  struct Case {
    const char *object, *key, *place, *kind;
  };
  const Case cases[] = {
      {"model", "tensor_layout", "MODEL", "\"gaussian\""},
      {"dynamic_dimension", "multiple", "DIM", "\"gaussian\""},
      {"dynamic_dimension", "remainder", "DIM", "\"gaussian\""},
      {"latent", "shift", "LATENT", "\"gaussian\""},
      {"likelihood", "variance", "KIND", "\"gaussian\""},
      {"likelihood", "scale", "KIND", "\"laplace\""},
      {"prior", "mean", "PRIOR", "\"gaussian\""},
      {"prior", "std", "PRIOR", "\"gaussian\""},
  };
  size_t defaults = 0;
  for (const ObjectType &object : getObjectTypes())
    for (const std::string &key : getProperties(*facts.find(object.name)))
      if (const json::Value *value =
              facts.getDefault(*facts.find(object.name), key)) {
        ++defaults;
        const Case *found = find_if(cases, [&](const Case &c) {
          return object.name == c.object && key == c.key;
        });
        ASSERT_NE(found, std::end(cases)) << object.name.str() << ", " << key;
        auto fill = [&](const std::string &text) {
          std::string result = model;
          for (StringRef place : {"MODEL", "DIM", "LATENT", "KIND", "PRIOR"}) {
            std::string with = place == "KIND" ? found->kind : "";
            if (place == found->place)
              with += text;
            result.replace(result.find(place.str()), place.size(), with);
          }
          return print(result);
        };
        std::string without = fill("");
        EXPECT_EQ(errors, "");
        EXPECT_EQ(fill(", \"" + key + "\": " + toText(*value)), without) << key;
      }
  EXPECT_EQ(defaults, std::size(cases));
}
