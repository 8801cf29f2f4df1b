/* SPDX-License-Identifier: Apache-2.0 */
#include "corpus/json_shim.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>
#include <vector>

namespace dom = simdjson::dom;

struct pkin_i_json_parser {
    dom::parser parser;
};

static_assert(sizeof(dom::element) <= sizeof(pkin_i_json_value::opaque), "a handle must fit");
static_assert(std::is_trivially_copyable<dom::element>::value, "a handle is copied as bytes");

namespace {

/* Objects with fewer keys are compared pairwise, which needs no memory. */
constexpr size_t few_keys = 32;

pkin_i_json_value wrap(dom::element element) {
    pkin_i_json_value value{};
    std::memcpy(value.opaque, &element, sizeof element);
    switch (element.type()) {
    case dom::element_type::STRING: {
        std::string_view text;
        if (element.get(text) != simdjson::SUCCESS) return value;
        value.kind = PKIN_I_JSON_STRING;
        value.text = pkin_i_view_of(text.data(), text.size());
        break;
    }
    case dom::element_type::ARRAY:
        value.kind = PKIN_I_JSON_ARRAY;
        break;
    case dom::element_type::OBJECT:
        value.kind = PKIN_I_JSON_OBJECT;
        break;
    case dom::element_type::NULL_VALUE:
        value.kind = PKIN_I_JSON_NULL;
        break;
    default:
        value.kind = PKIN_I_JSON_OTHER;
    }
    return value;
}

dom::element unwrap(const pkin_i_json_value *value) {
    dom::element element;
    std::memcpy(static_cast<void *>(&element), value->opaque, sizeof element);
    return element;
}

std::string_view repeated_of_few(const dom::object &object) {
    std::string_view keys[few_keys];
    size_t n = 0;
    for (auto field : object) {
        for (size_t k = 0; k < n; k++) {
            if (keys[k] == field.key) return field.key;
        }
        keys[n++] = field.key;
    }
    return {};
}

std::string_view repeated_of_many(const dom::object &object) {
    std::vector<std::string_view> keys;
    for (auto field : object) keys.push_back(field.key);
    std::sort(keys.begin(), keys.end());
    auto found = std::adjacent_find(keys.begin(), keys.end());
    return found == keys.end() ? std::string_view() : *found;
}

} // namespace

extern "C" {

pkin_i_json_parser *pkin_i_json_parser_new(void) {
    return new (std::nothrow) pkin_i_json_parser;
}

void pkin_i_json_parser_free(pkin_i_json_parser *parser) {
    delete parser;
}

pkin_i_json_outcome pkin_i_json_parse(pkin_i_json_parser *parser, pkin_i_view text, size_t n_readable,
                                      pkin_i_json_value *root, const char **reason) {
    *root = pkin_i_json_value{};
    *reason = "";
    try {
        bool copy = n_readable - text.n_bytes < simdjson::SIMDJSON_PADDING;
        dom::element element;
        simdjson::error_code error = parser->parser.parse(text.bytes, text.n_bytes, copy).get(element);
        if (error == simdjson::MEMALLOC) return PKIN_I_JSON_OUT_OF_MEMORY;
        if (error != simdjson::SUCCESS) {
            *reason = simdjson::error_message(error);
            return PKIN_I_JSON_BAD;
        }
        *root = wrap(element);
        return PKIN_I_JSON_OK;
    } catch (...) {
        return PKIN_I_JSON_OUT_OF_MEMORY;
    }
}

void pkin_i_json_each(const pkin_i_json_value *container, pkin_i_json_visit visit, void *user) {
    dom::element element = unwrap(container);
    dom::array array;
    dom::object object;
    if (container->kind == PKIN_I_JSON_ARRAY && element.get(array) == simdjson::SUCCESS) {
        for (dom::element item : array) {
            pkin_i_json_value value = wrap(item);
            if (!visit(user, pkin_i_view_of("", 0), &value)) return;
        }
    } else if (container->kind == PKIN_I_JSON_OBJECT && element.get(object) == simdjson::SUCCESS) {
        for (auto field : object) {
            pkin_i_json_value value = wrap(field.value);
            if (!visit(user, pkin_i_view_of(field.key.data(), field.key.size()), &value)) return;
        }
    }
}

pkin_i_json_outcome pkin_i_json_repeated_key(const pkin_i_json_value *object_value, pkin_i_view *key) {
    dom::object object;
    *key = pkin_i_view_of(nullptr, 0);
    if (object_value->kind != PKIN_I_JSON_OBJECT || unwrap(object_value).get(object) != simdjson::SUCCESS) {
        return PKIN_I_JSON_OK;
    }
    try {
        std::string_view found = object.size() <= few_keys ? repeated_of_few(object) : repeated_of_many(object);
        *key = pkin_i_view_of(found.data(), found.size());
        return PKIN_I_JSON_OK;
    } catch (...) {
        return PKIN_I_JSON_OUT_OF_MEMORY;
    }
}

bool pkin_i_is_utf8(const char *bytes, size_t n_bytes) {
    return n_bytes == 0 || simdjson::validate_utf8(bytes, n_bytes);
}
}
