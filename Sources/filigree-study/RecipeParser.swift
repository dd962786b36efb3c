import ArgumentParser
import CommandSupport
import Training

/// `filigree-train`'s own parser reads the recipes of a plan.
func parseRecipe(_ options: [(name: String, value: String)]) throws -> Recipe {
  var words: [String] = []
  for (name, value) in options {
    guard RecipeOptions.flags.contains(name) else {
      words.append("--\(name)=\(value)")
      continue
    }
    switch value {
    case "true": words.append("--\(name)")
    case "false": words.append("--no-\(name)")
    default: throw ValidationError("\(name): \(value) is neither true nor false")
    }
  }
  do {
    return try RecipeOptions.parse(words).made()
  } catch {
    let text = RecipeOptions.message(for: error)
    throw ValidationError(text.replacing("'--", with: "'"))
  }
}
